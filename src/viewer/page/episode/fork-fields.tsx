/** What can be another in a fork, field by field: turn, seed, policy, who plays the simulators and how they are asked. Knows the draft, not what becomes of it. */
import type { ComponentChildren, RefObject } from 'preact';
import { useId } from 'preact/hooks';
import type { EpisodePage, ForkChoices } from '../../contract.ts';
import { Icon } from '../kit/icon.tsx';
import type { Draft } from './fork-draft.ts';

interface FieldsProps {
  readonly page: EpisodePage;
  readonly choices: ForkChoices;
  readonly draft: Draft;
  readonly first: RefObject<HTMLInputElement | null>;
  readonly onChange: (change: Partial<Draft>) => void;
}

export function ForkFields({ page, choices, draft, first, onChange }: FieldsProps) {
  const count = page.turns.length;
  const isGone = page.version !== null && !choices.versions.includes(page.version);
  return (
    <>
      <Field name="from turn" hint={`0 … ${Math.max(0, count - 1)}; ${count} = it is only judged anew`}>
        {(id, hint) => (
          <input
            class="field number"
            type="text"
            inputMode="numeric"
            id={id}
            aria-describedby={hint}
            ref={first}
            value={draft.from}
            onInput={(event) => onChange({ from: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field
        name="seed"
        hint={
          choices.isDeterministic
            ? 'the same seed, and nothing else changed, plays the same again'
            : 'on a vLLM server the same seed may play otherwise: its rounding depends on what else it computes'
        }
      >
        {(id, hint) => (
          <>
            <input
              class="field number"
              type="text"
              inputMode="numeric"
              id={id}
              aria-describedby={hint}
              value={draft.seed}
              placeholder={`${choices.seed}, as it was`}
              onInput={(event) => onChange({ seed: event.currentTarget.value })}
            />
            <button type="button" class="button small" title="Fill in another" onClick={() => onChange({ seed: drawn() })}>
              Draw
            </button>
          </>
        )}
      </Field>
      <Field name="policy version" hint={isGone ? `v${page.version}, which said it, is not kept any more` : 'of those that the run keeps'}>
        {(id, hint) => (
          <select
            class="field"
            id={id}
            aria-describedby={hint}
            value={draft.version ?? ''}
            onChange={(event) => onChange({ version: Number(event.currentTarget.value) })}
          >
            {choices.versions.map((version) => (
              <option key={version} value={version}>
                v{version}
                {version === page.version ? ', as it was' : ''}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Players choices={choices} draft={draft} onChange={onChange} />
      <Settings choices={choices} draft={draft} onChange={onChange} />
    </>
  );
}

const drawn = (): string => String(1 + Math.floor(Math.random() * 999_999));

interface FieldProps {
  readonly name: string;
  readonly hint: string;
  /** Given the ids of the field and of its hint. */
  readonly children: (id: string, hint: string) => ComponentChildren;
}

function Field({ name, hint, children }: FieldProps) {
  const id = useId();
  return (
    <div class="fork-field">
      <label for={id}>{name}</label>
      <span class="fork-inputs">{children(id, `${id}-hint`)}</span>
      <span class="muted fork-hint" id={`${id}-hint`}>
        {hint}
      </span>
    </div>
  );
}

type PartProps = Pick<FieldsProps, 'choices' | 'draft' | 'onChange'>;

const players = { procedural: 'code', lm: 'a language model' } as const;

function Players({ choices: { roles }, draft, onChange }: PartProps) {
  const [first] = roles;
  // One reason for all: one line, and nothing to choose.
  if (first !== undefined && first.refusal !== null && roles.every(({ now, refusal }) => now === first.now && refusal === first.refusal))
    return (
      <div class="fork-field">
        <span>simulators</span>
        <span>{players[first.now]}, as it was</span>
        <span class="muted fork-hint">not otherwise: {first.refusal}</span>
      </div>
    );
  return (
    <>
      {roles.map(({ role, now, refusal }) => (
        <Field key={role} name={role} hint={refusal === null ? hints[role] : `not otherwise: ${refusal}`}>
          {(id, hint) => (
            <select
              class="field"
              id={id}
              aria-describedby={hint}
              value={draft.players[role]}
              disabled={refusal !== null}
              onChange={(event) =>
                onChange({ players: { ...draft.players, [role]: event.currentTarget.value === 'lm' ? 'lm' : 'procedural' } })
              }
            >
              {(['procedural', 'lm'] as const).map((who) => (
                <option key={who} value={who}>
                  {players[who]}
                  {who === now ? ', as it was' : ''}
                </option>
              ))}
            </select>
          )}
        </Field>
      ))}
    </>
  );
}

const hints = { user: 'who answers the agent', tool: 'who answers its calls', judge: 'who says what was reached' } as const;

function Settings({ choices, draft, onChange }: PartProps) {
  const id = useId();
  const { settings } = draft;
  const known = new Map(choices.settings.map((setting) => [setting.key, setting]));
  const change = (key: string, value: string): void =>
    onChange({ settings: settings.map((setting) => (setting.key === key ? { key, value } : setting)) });
  return (
    <>
      {settings.map(({ key, value }) => (
        <div key={key} class="fork-setting">
          <label class="mono" for={`${id}-${key}`}>
            {key}
          </label>
          <span class="fork-inputs">
            <input
              class="field number"
              type="text"
              id={`${id}-${key}`}
              aria-describedby={`${id}-${key}-hint`}
              value={value}
              onInput={(event) => change(key, event.currentTarget.value)}
            />
            <button
              type="button"
              class="button small quiet"
              aria-label={`leave ${key} as it was`}
              title="Leave it as it was"
              onClick={() => onChange({ settings: settings.filter((setting) => setting.key !== key) })}
            >
              <Icon name="close" />
            </button>
          </span>
          <span class="muted fork-hint" id={`${id}-${key}-hint`}>
            {known.get(key)?.meaning} It was {known.get(key)?.value}; {known.get(key)?.allowed}.
          </span>
        </div>
      ))}
      <div class="fork-field">
        <label for={`${id}-add`}>change also</label>
        <select
          class="field"
          id={`${id}-add`}
          value=""
          onChange={(event) => {
            const setting = known.get(event.currentTarget.value);
            event.currentTarget.value = '';
            if (setting !== undefined) onChange({ settings: [...settings, { key: setting.key, value: setting.value }] });
          }}
        >
          <option value="">a setting …</option>
          {choices.settings
            .filter(({ key }) => !settings.some((setting) => setting.key === key))
            .map(({ key }) => (
              <option key={key} value={key}>
                {key}
              </option>
            ))}
        </select>
      </div>
    </>
  );
}
