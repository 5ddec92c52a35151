/** The keys of what is shown now, and what the words mean. */
import { Dialog } from './dialog.tsx';
import { glossary } from './glossary.ts';
import { keyGroups } from './keys.ts';

const apple = /Mac|iP(ad|hone)/.test(navigator.platform);

function Keys({ keys }: { readonly keys: string }) {
  const names = keys.split(' ').map((key) => key.replace('mod+', apple ? '⌘ ' : 'Ctrl '));
  return (
    <>
      {names.map((name, i) => (
        <kbd key={i}>{name.length === 1 && name !== name.toLowerCase() ? `⇧ ${name}` : name}</kbd>
      ))}
    </>
  );
}

/** Keys that act on what has the focus, of whatever of it is on the page. */
const focused: readonly (readonly [selector: string, title: string, keys: readonly (readonly [keys: string, what: string])[]])[] = [
  [
    '.chart-view',
    'With the focus in a chart',
    [
      ['+', 'larger'],
      ['−', 'smaller'],
      ['0', 'all of it'],
      ['← → ↑ ↓', 'move it'],
    ],
  ],
  ['.scrubber input', 'With the focus on the slider of events', [['← →', 'previous or next event']]],
  [
    '.tokens[role=listbox]',
    'With the focus in tokens',
    [
      ['← → ↑ ↓', 'the token beside'],
      ['Home End', 'the ends of its line'],
    ],
  ],
  ['[role=separator]', 'With the focus on a border of panes', [['← →', 'move it']]],
];

export function Help({ onClose }: { readonly onClose: () => void }) {
  const groups = keyGroups.value.filter(({ bindings }) => bindings.length > 0);
  return (
    <Dialog label="Help" kind="help" onClose={onClose}>
      <header class="page-head">
        <h2>Keys and words</h2>
        <span class="grow" />
        <button type="button" class="button quiet" onClick={onClose}>
          Close
        </button>
      </header>
      <div class="groups">
        {groups.map(({ title, bindings }, i) => (
          <section key={i}>
            <h3>{title}</h3>
            <dl>
              {bindings.map(({ keys, what }) => (
                <>
                  <dt>
                    <Keys keys={keys} />
                  </dt>
                  <dd>{what}</dd>
                </>
              ))}
            </dl>
          </section>
        ))}
        {focused
          .filter(([selector]) => document.querySelector(selector) !== null)
          .map(([selector, title, keys]) => (
            <section key={selector}>
              <h3>{title}</h3>
              <dl>
                {keys.map(([pressed, what]) => (
                  <>
                    <dt>
                      <Keys keys={pressed} />
                    </dt>
                    <dd>{what}</dd>
                  </>
                ))}
              </dl>
            </section>
          ))}
      </div>
      <h3 class="help-words">Words</h3>
      <dl class="help-terms">
        {Object.entries(glossary).map(([term, what]) => (
          <>
            <dt>{term}</dt>
            <dd>{what}</dd>
          </>
        ))}
      </dl>
      <p class="muted">Every view is an address: what you see can be linked to.</p>
    </Dialog>
  );
}
