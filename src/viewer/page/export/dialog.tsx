/** Takes what is shown out of the viewer: a file to save in each format, and beside it the command that writes the same. Downloads are the browser's own. */
import './export.css';
import type { Route } from '../router.ts';
import type { Told } from '../command.ts';
import { Dialog } from '../dialog.tsx';
import { Copy } from '../kit/copy.tsx';
import { Icon } from '../kit/icon.tsx';
import { offersOf, subjectOf } from './formats.ts';

interface ExportsProps {
  readonly route: Route;
  readonly told: Told;
  readonly onClose: () => void;
}

export function Exports({ route, told, onClose }: ExportsProps) {
  const subject = subjectOf(route);
  const offers = offersOf(route, told);
  if (subject === null) return null;
  return (
    <Dialog label="Export" kind="exports" onClose={onClose}>
      <header class="page-head">
        <h2>
          Export {subject.kind} <span class="mono">{subject.id ?? subject.run}</span>
        </h2>
        <span class="grow" />
        <button type="button" class="button quiet" onClick={onClose}>
          Close
        </button>
      </header>
      {told.filter === '' ? null : (
        <p class="muted">
          Of the episodes, only those that pass <code class="said">{told.filter}</code>.
        </p>
      )}
      <ul>
        {offers.map(({ format, title, what, href, command }) => (
          <li key={format}>
            <div class="offer">
              <h3>{title}</h3>
              <p class="muted">{what}</p>
            </div>
            <a class="button" href={href} download aria-label={`Save ${title}`}>
              <Icon name="save" /> Save
            </a>
            <div class="typed">
              <code class="one-line" title={command}>
                {command}
              </code>
              <Copy text={command} what={`the command that writes ${title}`} />
            </div>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
