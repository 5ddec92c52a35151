/** A prompt for whoever plays a simulated role, word for word: its messages, what was wanted of the reply, the reply as it came, and what became of it. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { CallPage, ChatPage } from '../../contract.ts';
import { figure, plural, whole } from '../format.ts';
import { Badge } from '../kit/badge.tsx';
import { Copy } from '../kit/copy.tsx';
import { Notice } from '../kit/empty.tsx';
import { to } from '../router.ts';
import { endings } from './asked.ts';
import { beginning } from './gist.ts';
import { LongText } from './long-text.tsx';
import { requestBody } from './request-body.ts';
import { Folded } from './turn-card.tsx';

interface ChatCallProps {
  readonly run: string;
  /** Path whose prompts these are: an episode, or a group for its task. */
  readonly path: string;
  readonly page: CallPage;
  /** Why no model was asked; null where one was. */
  readonly spared: string | null;
  readonly recorded: boolean;
}

export function ChatCall({ run, path, page, spared, recorded }: ChatCallProps) {
  const { calls, told, end, complaint, defect, raw, fault, source } = page;
  const { tone, mark, words } = endings[end];
  const hasReply = calls.some(({ reply }) => reply !== null);
  return (
    <div class="chat-call">
      <div class="chat-end">
        <Badge tone={tone} mark={mark}>
          {words}
        </Badge>
        {page.tool === undefined ? null : <code>{page.tool}</code>}
        <span class="muted">
          question {whole(page.ask)}
          {page.attempt === 0 ? '' : `, asked again ${plural(page.attempt, 'time')} with why the answer before was refused`}
        </span>
        {spared === null ? null : <Badge tone="info" mark="○">{`no model was asked: ${spared}`}</Badge>}
        {calls.length > 1 ? <Badge>{plural(calls.length, 'vote')}</Badge> : null}
      </div>
      {complaint === undefined ? null : (
        <p class="complaint">
          <b>{end === 'refused' ? 'Why it was refused' : 'Why'}</b>
          {defect === undefined ? '' : ` (${defect})`}: <LongText text={complaint} />
        </p>
      )}
      {fault === undefined ? null : (
        <p class="complaint">
          <b>{fault.kind}</b>: <LongText text={fault.message} />
        </p>
      )}
      {raw === undefined || hasReply ? null : <Verbatim title="what came, as far as it was kept" text={raw} />}
      {fault?.raw === undefined || hasReply ? null : <Verbatim title="what came, as far as it was kept" text={fault.raw} />}
      {calls.map((chat, i) => (
        <Chat key={chat.id} run={run} path={path} chat={chat} title={calls.length > 1 ? `vote ${i + 1} of ${calls.length}` : null} />
      ))}
      {calls.length === 0 && told === null && spared === null ? (
        <Notice>
          {recorded || source === 'model'
            ? 'No model was asked: the question ended before it could be.'
            : 'This record holds no prompts of simulators: it was written by an older version. “prompt” on the command line renders them anew.'}
        </Notice>
      ) : null}
      {calls.length === 0 && told === null && spared !== null && source !== 'group' ? (
        <p class="muted">No prompt was sent, so there is none to read: what was answered stands in the transcript.</p>
      ) : null}
      {told === null ? null : (
        <>
          <p class="muted">The answer was read from this call, made before for the same question:</p>
          <Chat run={run} path={path} chat={told} title={null} />
        </>
      )}
      {source === 'group' && told === null ? (
        <p class="muted">It is known from the rehearsal of the task: see how the task was written.</p>
      ) : null}
    </div>
  );
}

interface ChatProps {
  readonly run: string;
  readonly path: string;
  readonly chat: ChatPage;
  readonly title: string | null;
}

function Chat({ run, path, chat, title }: ChatProps) {
  const { asked, reply, shared, id } = chat;
  const others = shared.filter((one) => one !== path);
  return (
    <section class="chat" aria-label={title ?? `call ${id}`}>
      <div class="chat-bar">
        {title === null ? null : <b>{title}</b>}
        <dl class="facts">
          {asked === null ? null : (
            <>
              <Fact name="temperature">{figure(asked.temperature)}</Fact>
              <Fact name="at most">{plural(asked.maxTokens, 'token')}</Fact>
              <Fact name="seed">{asked.seed}</Fact>
            </>
          )}
          <Fact name="call">
            <span class="mono">{id.slice(0, 12)}</span>
          </Fact>
        </dl>
        <span class="grow" />
        {asked === null ? null : (
          <>
            <Copy text={() => JSON.stringify(asked.messages, null, 2)} what="the messages as JSON">
              Copy messages
            </Copy>
            <Copy
              text={() => JSON.stringify(requestBody(asked, reply?.model), null, 2)}
              what="the request’s body, as OpenAI’s interface takes it"
            >
              Copy request
            </Copy>
          </>
        )}
      </div>
      {others.length === 0 ? null : <Shared run={run} others={others} />}
      {asked === null ? (
        <Notice>This record does not hold what was asked: it was written by an older version.</Notice>
      ) : (
        <>
          {asked.messages.map(({ role, content }, i) => (
            <Message key={i} role={role} content={content} isOpen={role !== 'system'} />
          ))}
          {asked.schema === null ? (
            <p class="muted">Any text may be replied.</p>
          ) : (
            <Folded title="schema the reply must satisfy" value={asked.schema} />
          )}
        </>
      )}
      {reply === null ? (
        <p class="complaint">No reply came.</p>
      ) : (
        <Verbatim
          title="reply, as it came"
          text={reply.text}
          facts={[
            reply.finish === 'length' ? 'cut at its limit of tokens' : 'ended by itself',
            reply.usage === undefined
              ? 'the engine did not count its tokens'
              : `the engine counted ${plural(reply.usage.prompt, 'token')} of the prompt, ${whole(reply.usage.reply)} of the reply`,
            `by ${reply.model}`,
          ]}
        />
      )}
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Episodes whose actors got the same reply; the one that asked first comes first. */
function Shared({ run, others }: { readonly run: string; readonly others: readonly string[] }) {
  return (
    <p class="chat-shared">
      <span class="muted">shared with</span>
      {others.map((path) => {
        const isEpisode = /\.e\d+$/.test(path);
        const address = isEpisode ? to.episode(run, path, { tab: 'prompts' }) : to.group(run, path);
        return (
          <a key={path} href={address}>
            {isEpisode ? `member ${Number(path.slice(path.lastIndexOf('.e') + 2))}` : 'the rehearsal'}
          </a>
        );
      })}
    </p>
  );
}

/** Folded, it shows how it begins. */
function Message({ role, content, isOpen: opens }: { readonly role: string; readonly content: string; readonly isOpen: boolean }) {
  const [isOpen, setOpen] = useState(opens);
  return (
    <div class="chat-message" data-role={role}>
      <button type="button" class="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span>
        <b>{role}</b>
        <span class="muted number">{plural(content.length, 'character')}</span>
        {isOpen ? null : <span class="one-line muted">{beginning(content)}</span>}
      </button>
      {isOpen ? (
        <div class="chat-text" tabIndex={0} role="group" aria-label={`message of ${role}`}>
          <LongText text={content} mono />
        </div>
      ) : null}
    </div>
  );
}

function Verbatim({ title, text, facts = [] }: { readonly title: string; readonly text: string; readonly facts?: readonly string[] }) {
  return (
    <div class="chat-message" data-role="reply">
      <p class="chat-reply">
        <b>{title}</b>
        <span class="muted">{facts.join(' · ')}</span>
        <span class="grow" />
        <Copy text={text} what="the reply">
          Copy
        </Copy>
      </p>
      <div class="chat-text" tabIndex={0} role="group" aria-label={title}>
        {text === '' ? <span class="muted">(nothing)</span> : <LongText text={text} mono />}
      </div>
    </div>
  );
}
