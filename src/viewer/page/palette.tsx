/** Type to go somewhere or do something: runs, groups, episodes, pages, actions. */
import { useMemo, useState } from 'preact/hooks';
import type { RunCard } from '../contract.ts';
import { useAnswer } from './api.ts';
import { type Choice, ranked, typedIds } from './choices.ts';
import { commandOf } from './command.ts';
import { Dialog } from './dialog.tsx';
import { copy } from './kit/copy.tsx';
import { navigate, route, shownFilter } from './navigation.ts';
import { runsDir } from './place.ts';
import { to } from './router.ts';
import { nextTheme } from './theme.ts';

const shown = 12;

interface PaletteProps {
  readonly onClose: () => void;
  readonly onHelp: () => void;
  /** Null where there is nothing to take. */
  readonly onExport: (() => void) | null;
}

export function Palette({ onClose, onHelp, onExport }: PaletteProps) {
  const [typed, setTyped] = useState('');
  const [picked, setPicked] = useState(0);
  const runs = useAnswer<readonly RunCard[]>('/api/runs').value;
  const choices = useMemo(() => [...runChoices(runs ?? []), ...standing(onHelp, onExport)], [runs, onHelp, onExport]);
  const found = [...typedIds(typed, route.value), ...ranked(typed, choices, shown)];
  const at = Math.min(picked, Math.max(0, found.length - 1));

  const take = (choice: Choice | undefined): void => {
    if (choice === undefined) return;
    onClose();
    if (typeof choice.go === 'string') navigate(choice.go);
    else choice.go();
  };
  const press = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined) setPicked((at + by + found.length) % Math.max(1, found.length));
    else if (event.key === 'Enter') take(found[at]);
    else return;
    event.preventDefault();
  };

  return (
    <Dialog label="Go to or do" kind="palette" onClose={onClose}>
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found.length > 0 ? `palette-${at}` : undefined}
        aria-label="Go to a run, group or episode, or do something"
        placeholder="Go to a run, s00001.t003.e05, or an action…"
        autocomplete="off"
        spellcheck={false}
        value={typed}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          setPicked(0);
        }}
        onKeyDown={press}
      />
      <div id="palette-list" role="listbox" aria-label="choices">
        {found.map((choice, i) => (
          <div
            key={`${choice.kind} ${choice.title}`}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === at}
            onClick={() => take(choice)}
          >
            <span class="kind">{choice.kind}</span>
            <span class="one-line">{choice.title}</span>
            <span class="muted one-line">{choice.hint}</span>
          </div>
        ))}
      </div>
      {found.length === 0 ? <p class="none">Nothing is called so. Ids look like s00001.t003.e05; a run is named by its folder.</p> : null}
    </Dialog>
  );
}

const runChoices = (runs: readonly RunCard[]): Choice[] =>
  runs.map(({ run, state, steps }) => ({ kind: 'run', title: run, hint: `${state}, ${steps} steps`, go: to.run(run) }));

function standing(onHelp: () => void, onExport: (() => void) | null): Choice[] {
  return [
    { kind: 'page', title: 'All runs', go: to.runs() },
    { kind: 'page', title: 'Statecharts of all actors', go: to.charts() },
    { kind: 'action', title: 'Copy link to this view', go: () => void copy(location.href, 'the link') },
    {
      kind: 'action',
      title: 'Copy command for the terminal',
      go: () => void copy(commandOf(route.peek(), { dir: runsDir.peek(), filter: shownFilter.peek() }), 'the command'),
    },
    ...(onExport === null ? [] : [{ kind: 'action' as const, title: 'Export: save as a file', hint: 'x', go: onExport }]),
    { kind: 'action', title: 'Switch theme: system, light, dark', go: nextTheme },
    { kind: 'action', title: 'Show keys', hint: '?', go: onHelp },
  ];
}
