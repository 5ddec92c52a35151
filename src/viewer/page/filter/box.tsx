/** Narrows a list of episodes down: an expression with completion, its mistake where it stands, and frequent values to click. What matches the server says. */
import './filter.css';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { EpisodeList } from '../../contract.ts';
import { longestFilter, parseFilter } from '../../../record/filter-parse.ts';
import type { Mistake } from '../../../record/filter-tokens.ts';
import type { Trouble } from '../api.ts';
import { useKeys } from '../keys.ts';
import { query, setQuery } from '../navigation.ts';
import { type Completion, completed, completionsAt } from './completion.ts';
import { Facets } from './facets.tsx';
import { FieldList } from './field-list.tsx';

/** A pause in typing after which what is written is asked for, or found fault with. */
const typedMs = 250;
const faultMs = 700;

interface FilterProps {
  readonly list: EpisodeList | undefined;
  /** Of the server, about the filter in the address. */
  readonly trouble: Trouble | null;
}

export function Filter({ list, trouble }: FilterProps) {
  const asked = query.value.get('filter') ?? '';
  const [typed, setTyped] = useState(asked);
  const [quiet, setQuiet] = useState(true);
  // While something can still be chosen, what is written is not wrong but unfinished.
  const [choosing, setChoosing] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (document.activeElement !== field.current) setTyped(asked);
  }, [asked]);
  const read = parseFilter(typed);
  const mistake = read?.kind === 'mistake' ? read : typed === asked && trouble !== null ? mistakeIn(trouble, typed) : null;
  useEffect(() => {
    setQuiet(true);
    const ask = read?.kind === 'mistake' || typed === asked ? undefined : setTimeout(() => setQuery({ filter: typed }), typedMs);
    const blame = setTimeout(() => setQuiet(false), faultMs);
    return () => {
      clearTimeout(ask);
      clearTimeout(blame);
    };
  }, [typed]);
  const shown = quiet || choosing ? null : mistake;
  const write = (text: string): void => {
    setTyped(text);
    setQuery({ filter: text }, { push: true });
  };
  useKeys('Filter', [{ keys: '/', what: 'filter', act: () => field.current?.focus() }]);
  return (
    <div class="episode-filter">
      <Input field={field} typed={typed} mistaken={shown !== null} facets={list?.facets} onType={setTyped} onChoice={setChoosing} />
      {shown === null ? null : <MistakeView text={typed} mistake={shown} />}
      <FieldList onPick={(example) => write(typed.trim() === '' ? example : `${typed.trim()} && ${example}`)} />
      {list === undefined ? null : <Facets facets={list.facets} asked={asked} onWrite={write} />}
    </div>
  );
}

/** The server's word, where it found something that this page did not. */
const mistakeIn = ({ message, at = 0 }: Trouble, text: string): Mistake => ({
  kind: 'mistake',
  message,
  at,
  end: Math.min(text.length, at + 1),
});

/** What is written around a mistake. */
const around = 32;

function MistakeView({ text, mistake: { at, end, message } }: { readonly text: string; readonly mistake: Mistake }) {
  const from = Math.max(0, at - around);
  const to = Math.min(text.length, end + around);
  return (
    <p id="filter-mistake" class="mistake" role="alert">
      <code class="said">
        {from > 0 ? '…' : ''}
        {text.slice(from, at)}
        <mark>{end > at ? text.slice(at, end) : ' '}</mark>
        {text.slice(end, to)}
        {to < text.length ? '…' : ''}
      </code>{' '}
      <span>
        <span aria-hidden="true">✕</span> {message}
      </span>
    </p>
  );
}

interface InputProps {
  readonly field: { readonly current: HTMLInputElement | null };
  readonly typed: string;
  readonly mistaken: boolean;
  readonly facets: EpisodeList['facets'] | undefined;
  readonly onType: (text: string) => void;
  /** Whether there is something to choose. */
  readonly onChoice: (is: boolean) => void;
}

/** A combobox: arrows choose, Enter or Tab take what was chosen, Escape first closes the list and then leaves. */
function Input({ field, typed, mistaken, facets, onType, onChoice }: InputProps) {
  const id = useId();
  const [caret, setCaret] = useState<number | null>(null);
  const [active, setActive] = useState(-1);
  const place = useRef<number | null>(null);
  const offered = caret === null ? null : completionsAt(typed, caret, facets);
  const list = offered?.list ?? [];
  const isChoice = list.length > 0;
  useEffect(() => onChoice(isChoice), [isChoice]);
  const close = (): void => {
    setCaret(null);
    setActive(-1);
  };
  const open = (): void => {
    setCaret(field.current?.selectionStart ?? 0);
    setActive(-1);
  };
  useEffect(() => {
    // After a completion the caret stands behind it; the browser would have put it at the end.
    if (place.current === null) return;
    field.current?.setSelectionRange(place.current, place.current);
    place.current = null;
  }, [typed]);
  const take = (completion: Completion): void => {
    // Typed on since the list was drawn: it is about a text that is no more.
    if (offered === null || field.current?.value !== typed || field.current.selectionStart !== caret) return;
    const next = completed(typed, offered, completion);
    place.current = next.caret;
    onType(next.text);
    setCaret(next.caret);
    setActive(-1);
    field.current?.focus();
  };
  const press = (event: KeyboardEvent): void => {
    const chosen = list[active];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (caret === null) open();
      else if (list.length > 0)
        setActive(
          (active + (event.key === 'ArrowDown' ? 1 : -1) + list.length + (active === -1 && event.key === 'ArrowUp' ? 1 : 0)) % list.length,
        );
    } else if ((event.key === 'Enter' || event.key === 'Tab') && chosen !== undefined) {
      event.preventDefault();
      take(chosen);
    } else if (event.key === 'Enter') close();
    else if (event.key === 'Escape') {
      event.preventDefault();
      if (list.length > 0) close();
      else field.current?.blur();
    }
  };
  return (
    <div class="filter-box">
      <input
        ref={field as { current: HTMLInputElement | null }}
        class="field mono"
        type="text"
        role="combobox"
        aria-label="filter episodes"
        aria-autocomplete="list"
        aria-expanded={list.length > 0}
        aria-controls={id}
        aria-activedescendant={active === -1 ? undefined : `${id}-${active}`}
        aria-invalid={mistaken}
        aria-describedby={mistaken ? 'filter-mistake' : undefined}
        placeholder={'reward<0 && tool=="refund" && D>=40 && text~"invoice"'}
        maxLength={longestFilter}
        autocomplete="off"
        spellcheck={false}
        value={typed}
        onInput={(event) => {
          onType(event.currentTarget.value);
          open();
        }}
        onFocus={open}
        onClick={open}
        onKeyUp={({ key }) => {
          if (key === 'ArrowLeft' || key === 'ArrowRight' || key === 'Home' || key === 'End') open();
        }}
        onBlur={close}
        onKeyDown={press}
      />
      <ul id={id} role="listbox" aria-label="what may be written here" class="completions" hidden={list.length === 0}>
        {list.map((completion, i) => (
          <li
            key={completion.title}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === active}
            onMouseDown={(event) => {
              event.preventDefault();
              take(completion);
            }}
          >
            <code>{completion.title}</code> <span class="muted one-line">{completion.hint}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
