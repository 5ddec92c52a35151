/** Plays an episode anew from one of its turns: asks for turn, seed and policy version, and leads to what came of it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EpisodePage, ForkReply, ForkRequest } from '../../contract.ts';
import { ask, troubleOf } from '../api.ts';
import { Notice } from '../kit/empty.tsx';
import { navigate } from '../navigation.ts';
import { to } from '../router.ts';

interface ForkProps {
  readonly page: EpisodePage;
  readonly turn: number;
  readonly onClose: () => void;
}

export function Fork({ page, turn, onClose }: ForkProps) {
  const [from, setFrom] = useState(String(Math.min(turn, Math.max(0, page.turns.length - 1))));
  const [seed, setSeed] = useState('');
  const [version, setVersion] = useState('');
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isAsking, setAsking] = useState(false);
  const box = useRef<HTMLDialogElement>(null);
  // The browser's own: it keeps the focus, gives it back, and Escape closes it.
  useEffect(() => box.current?.showModal(), []);
  const request: ForkRequest | null = requestOf(page, from, seed, version);
  const go = async (): Promise<void> => {
    if (request === null || isAsking) return;
    setAsking(true);
    setTrouble(null);
    try {
      const headers = { 'content-type': 'application/json' };
      const { run, episode } = await ask<ForkReply>('/api/actions/fork', { method: 'POST', headers, body: JSON.stringify(request) });
      onClose();
      navigate(to.episode(run, episode));
    } catch (error) {
      setTrouble(troubleOf(error).message);
      setAsking(false);
    }
  };
  return (
    <dialog class="dialog fork" aria-label="Play anew from a turn" ref={box} onClose={onClose}>
      <h2>Play anew from a turn</h2>
      <p class="muted">What was said before the turn stays as it was; from it on the policy and the simulators answer anew.</p>
      <Field name="from turn" value={from} hint={`0 … ${Math.max(0, page.turns.length - 1)}`} onInput={setFrom} />
      <Field name="seed" value={seed} hint="as it was: the same is played again" onInput={setSeed} />
      <Field
        name="policy version"
        value={version}
        hint={page.version === null ? 'the newest' : `v${page.version}, as it was`}
        onInput={setVersion}
      />
      {trouble === null ? null : <Notice tone="bad">{trouble}</Notice>}
      <p class="fork-buttons">
        <button type="button" class="button main" disabled={request === null || isAsking} onClick={() => void go()}>
          {isAsking ? 'Playing…' : 'Play'}
        </button>
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
      </p>
    </dialog>
  );
}

const numberIn = (text: string): number | undefined | null =>
  text.trim() === '' ? undefined : /^\d{1,9}$/.test(text.trim()) ? Number(text) : null;

/** Null where something that was typed is no whole number. */
function requestOf({ run, id, turns }: EpisodePage, from: string, seed: string, version: string): ForkRequest | null {
  const [turn, drawn, policy] = [numberIn(from), numberIn(seed), numberIn(version)];
  if (turn === null || turn === undefined || turn >= turns.length || drawn === null || policy === null) return null;
  return { run, episode: id, turn, ...(drawn === undefined ? {} : { seed: drawn }), ...(policy === undefined ? {} : { version: policy }) };
}

interface FieldProps {
  readonly name: string;
  readonly value: string;
  readonly hint: string;
  readonly onInput: (value: string) => void;
}

function Field({ name, value, hint, onInput }: FieldProps) {
  return (
    <label class="fork-field">
      <span>{name}</span>
      <input
        class="field"
        type="text"
        inputMode="numeric"
        value={value}
        placeholder={hint}
        onInput={(input) => onInput(input.currentTarget.value)}
      />
    </label>
  );
}
