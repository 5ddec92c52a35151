/** Plays an episode anew from one of its turns: asks what is to be another, shows how it goes, and leads to what came of it. */
import './fork.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EpisodePage, ForkChoices, ForkRequest, ForkState } from '../../contract.ts';
import { ask, troubleOf, useAnswer } from '../api.ts';
import { forkCommandOf } from '../command.ts';
import { Copy } from '../kit/copy.tsx';
import { Awaited, Notice } from '../kit/empty.tsx';
import { navigate } from '../navigation.ts';
import { runsDir } from '../place.ts';
import { to } from '../router.ts';
import { type Draft, draftOf, requestOf } from './fork-draft.ts';
import { ForkFields } from './fork-fields.tsx';
import { ForkProgress, playingElsewhere } from './fork-progress.tsx';

interface ForkProps {
  readonly page: EpisodePage;
  readonly turn: number;
  readonly onClose: () => void;
}

export function Fork({ page, turn, onClose }: ForkProps) {
  const choices = useAnswer<ForkChoices>(`/api${to.episode(page.run, page.id)}/fork`);
  const box = useRef<HTMLDialogElement>(null);
  // The browser's own: it keeps the focus, gives it back, and Escape closes it.
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog class="dialog fork" aria-label="Play anew from a turn" ref={box} onClose={onClose}>
      <h2>Play anew from a turn</h2>
      <p class="muted">What was said before the turn stays as it was; from it on the policy and the simulators answer anew.</p>
      <Awaited answer={choices} lines={4}>
        {(given) => <Form page={page} choices={given} turn={turn} onClose={onClose} />}
      </Awaited>
    </dialog>
  );
}

interface FormProps extends ForkProps {
  readonly choices: ForkChoices;
}

function Form({ page, choices, turn, onClose }: FormProps) {
  const [draft, setDraft] = useState<Draft>(() => draftOf(page, choices, turn));
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isAsking, setAsking] = useState(false);
  /** The one that is watched here: asked for by this dialog, or found being played. */
  const [watched, setWatched] = useState<ForkState | null>(null);
  useEffect(() => void playingElsewhere().then((found) => setWatched((known) => known ?? found)), []);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const request: ForkRequest | null = requestOf(page, choices, draft);
  const go = async (): Promise<void> => {
    if (request === null || isAsking) return;
    setAsking(true);
    setTrouble(null);
    try {
      const headers = { 'content-type': 'application/json' };
      setWatched(await ask<ForkState>('/api/actions/fork', { method: 'POST', headers, body: JSON.stringify(request) }));
    } catch (error) {
      setTrouble(troubleOf(error).message);
    }
    setAsking(false);
  };
  const onEnd = (fork: ForkState): void => {
    if (fork.state === 'done' && fork.run !== null && isOf(fork, page)) {
      onClose();
      navigate(to.episode(fork.run, fork.request.episode, { turn: fork.request.turn }));
      return;
    }
    setWatched(null);
    setTrouble(fork.state === 'failed' ? wordsOf(fork) : fork.state === 'cancelled' ? 'The fork was cancelled.' : null);
  };
  if (watched !== null) return <ForkProgress fork={watched} isOfHere={isOf(watched, page)} onEnd={onEnd} onClose={onClose} />;
  return (
    <form
      class="fork-form"
      onSubmit={(event) => {
        event.preventDefault();
        void go();
      }}
    >
      <ForkFields page={page} choices={choices} draft={draft} first={first} onChange={(change) => setDraft({ ...draft, ...change })} />
      {trouble === null ? null : (
        <Notice tone="bad">
          <span class="fork-said">{trouble}</span>
        </Notice>
      )}
      <p class="fork-buttons">
        <button type="submit" class="button main" disabled={request === null || isAsking}>
          {isAsking ? 'Asking…' : 'Play'}
        </button>
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
        <span class="grow" />
        {request === null ? null : (
          <Copy text={() => forkCommandOf(request, { dir: runsDir.peek(), filter: '' })} what="the command that does the same">
            Command
          </Copy>
        )}
      </p>
    </form>
  );
}

const isOf = ({ request }: ForkState, { run, id }: EpisodePage): boolean => request.run === run && request.episode === id;

/** What was typed stands above; it need not be said again. */
const wordsOf = ({ said }: ForkState): string => said.replaceAll(/^--set [\w.]+=[^:]*: /gm, '');
