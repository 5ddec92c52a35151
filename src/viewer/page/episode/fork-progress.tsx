/** A fork while it is played: how long, what it says, where to watch it, and the way to end it. Asks how it goes until it has ended. */
import { useEffect, useState } from 'preact/hooks';
import type { ForkState } from '../../contract.ts';
import { ask, troubleOf } from '../api.ts';
import { duration } from '../format.ts';
import { Badge } from '../kit/badge.tsx';
import { Notice } from '../kit/empty.tsx';
import { to } from '../router.ts';

/** Milliseconds between two questions. */
const pollMs = 400;

const forks = (): Promise<readonly ForkState[]> => ask<readonly ForkState[]>('/api/forks');

/** One that is being played, whoever asked for it. */
export async function playingElsewhere(): Promise<ForkState | null> {
  const list = await forks().catch(() => []);
  return list.find(({ state }) => state === 'playing') ?? null;
}

interface ForkProgressProps {
  readonly fork: ForkState;
  /** Of the episode that the dialog is of. */
  readonly isOfHere: boolean;
  readonly onEnd: (fork: ForkState) => void;
  readonly onClose: () => void;
}

export function ForkProgress({ fork, isOfHere, onEnd, onClose }: ForkProgressProps) {
  const [now, setNow] = useState(fork);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const look = async (): Promise<void> => {
      try {
        const found = (await forks()).find(({ id }) => id === fork.id);
        if (isOver) return;
        setTrouble(null);
        if (found === undefined)
          return onEnd({ ...fork, state: 'failed', said: 'The viewer was started anew: what became of it is in the list of runs.' });
        setNow(found);
        if (found.state !== 'playing') return onEnd(found);
      } catch (error) {
        if (isOver) return;
        setTrouble(troubleOf(error).message);
      }
      timer = setTimeout(() => void look(), pollMs);
    };
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [fork.id]);
  const { run, request, said, ms } = now;
  const cancel = async (): Promise<void> => {
    try {
      await ask<readonly ForkState[]>(`/api/actions/fork/${fork.id}`, { method: 'DELETE' });
    } catch (error) {
      setTrouble(troubleOf(error).message);
    }
  };
  return (
    <div class="fork-form">
      <p class="fork-going" role="status">
        <Badge tone="info" mark="▶">
          being played
        </Badge>{' '}
        {isOfHere ? 'From' : `${request.episode} of ${request.run}, from`} turn {request.turn}{' '}
        <span class="muted number">{duration(ms)}</span>
      </p>
      {said === '' ? null : <p class="muted fork-said">{said}</p>}
      {trouble === null ? null : <Notice tone="bad">{trouble}</Notice>}
      <p class="muted">It goes on when this is closed, and is in the list of runs.</p>
      <p class="fork-buttons">
        {run === null ? null : (
          <a class="button main" href={to.episode(run, request.episode, { turn: request.turn })} onClick={onClose}>
            Watch it
          </a>
        )}
        <button type="button" class="button" onClick={() => void cancel()}>
          Cancel the fork
        </button>
        <span class="grow" />
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </p>
    </div>
  );
}
