/** The keys of what is shown now, as a table. */
import { Dialog } from './dialog.tsx';
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

export function Help({ onClose }: { readonly onClose: () => void }) {
  const groups = keyGroups.value.filter(({ bindings }) => bindings.length > 0);
  return (
    <Dialog label="Keys" kind="help" onClose={onClose}>
      <header class="page-head">
        <h2>Keys</h2>
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
      </div>
      <p class="muted">Every view is an address: what you see can be linked to.</p>
    </Dialog>
  );
}
