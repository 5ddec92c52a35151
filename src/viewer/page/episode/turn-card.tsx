/** One turn of the transcript: words as words, calls and results as data, what could not be read as it came. */
import { useState } from 'preact/hooks';
import type { ToolCall } from '../../../protocol/tool.ts';
import type { Turn } from '../../../protocol/turn.ts';
import { Badge } from '../kit/badge.tsx';
import { plural } from '../format.ts';
import { Json } from './json.tsx';
import { LongText } from './long-text.tsx';

export function TurnBody({ turn }: { readonly turn: Turn }) {
  switch (turn.role) {
    case 'user':
      return (
        <p>
          <LongText text={turn.text} />
        </p>
      );
    case 'agent':
      return (
        <>
          {turn.thought === '' ? null : <Thought text={turn.thought} />}
          {turn.text === '' ? null : (
            <p>
              <LongText text={turn.text} />
            </p>
          )}
          {turn.calls.map((call, i) => (
            <Call key={i} call={call} />
          ))}
          {turn.malformed === undefined ? null : <Malformed raw={turn.malformed.raw} reason={turn.malformed.reason} />}
          {turn.thought === '' && turn.text === '' && turn.calls.length === 0 && turn.malformed === undefined ? (
            <p class="muted">(nothing: neither words nor a call)</p>
          ) : null}
        </>
      );
    case 'tool':
      return (
        <>
          <p class="result-head">
            {turn.call.name === '' ? <span class="muted">to the call that could not be read</span> : <code>{turn.call.name}</code>}
            <Badge tone={turn.status === 'ok' ? 'good' : 'bad'} mark={turn.status === 'ok' ? '✓' : '✕'}>
              {turn.status}
            </Badge>
            {turn.patch.length === 0 ? null : (
              <Badge tone="info" mark="Δ" title="operations on the world">
                {plural(turn.patch.length, 'change')}
              </Badge>
            )}
          </p>
          <Json value={turn.result} label="the result" open={2} />
          {turn.patch.length === 0 ? null : <Folded title="what it changed in the world" value={turn.patch} />}
        </>
      );
    default:
      return turn satisfies never;
  }
}

/** Folded: it is private, and was shown to nobody in the episode. */
function Thought({ text }: { readonly text: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <div class="thought">
      <button type="button" class="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span>
        <Badge title="seen by nobody but the policy; trained like all it samples">private thought</Badge>
        {isOpen ? null : <span class="one-line muted">{text.slice(0, 160)}</span>}
      </button>
      {isOpen ? (
        <p>
          <LongText text={text} />
        </p>
      ) : null}
    </div>
  );
}

export function Call({ call }: { readonly call: ToolCall }) {
  return (
    <div class="call">
      <span class="call-name">
        <span class="muted">calls</span> <code>{call.name}</code>
      </span>
      <Json value={call.arguments} label="the arguments" open={2} />
    </div>
  );
}

function Malformed({ raw, reason }: { readonly raw: string; readonly reason: string }) {
  return (
    <div class="malformed">
      <Badge tone="bad" mark="✕">
        call that could not be read
      </Badge>
      <span class="said"> {reason}</span>
      <pre tabIndex={0} aria-label="the call as it was written">
        <LongText text={raw} mono />
      </pre>
    </div>
  );
}

export function Folded({ title, value, open = false }: { readonly title: string; readonly value: unknown; readonly open?: boolean }) {
  const [isOpen, setOpen] = useState(open);
  return (
    <div class="folded">
      <button type="button" class="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span> {title}
      </button>
      {isOpen ? <Json value={value} label={title} open={2} /> : null}
    </div>
  );
}
