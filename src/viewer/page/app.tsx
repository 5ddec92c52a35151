/** The shell: header, breadcrumbs, theme, palette and help around whichever page the address names. Knows no page’s inside. */
import { type ComponentChildren, Component } from 'preact';
import { useState } from 'preact/hooks';
import { ChartsView } from './chart/view.tsx';
import { commandOf } from './command.ts';
import { CompareView } from './compare/view.tsx';
import { EpisodeView } from './episode/view.tsx';
import { enclosed } from './enclosed.ts';
import { Exports } from './export/dialog.tsx';
import { subjectOf } from './export/formats.ts';
import { GroupView } from './group/view.tsx';
import { Help } from './help.tsx';
import { Copy } from './kit/copy.tsx';
import { Empty } from './kit/empty.tsx';
import { Icon } from './kit/icon.tsx';
import { useKeys } from './keys.ts';
import { liveRun, liveState } from './live.ts';
import { navigate, route, shownFilter } from './navigation.ts';
import { Palette } from './palette.tsx';
import { runsDir } from './place.ts';
import { type Route, to } from './router.ts';
import { RunView } from './run/view.tsx';
import { RunsView } from './runs/view.tsx';
import { nextTheme, theme } from './theme.ts';
import { Toast } from './toast.tsx';

/** The document's own: in a page that is one file it lies in it. */
const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]')?.href ?? '/assets/icon.svg';

/** The page of a route. Each gets its names; the rest of its state it reads from the query. */
function Page({ at }: { readonly at: Route }) {
  switch (at.page) {
    case 'runs':
      return <RunsView />;
    case 'run':
      return <RunView key={at.run} run={at.run} />;
    case 'charts':
      return <ChartsView chart={at.chart} />;
    case 'episode':
      return <EpisodeView key={`${at.run} ${at.episode}`} run={at.run} episode={at.episode} />;
    case 'group':
      return <GroupView key={`${at.run} ${at.group}`} run={at.run} group={at.group} />;
    case 'compare':
      return <CompareView />;
    case 'absent':
      return (
        <Empty sign="?" title="There is nothing at this address">
          <p>
            Begin at <a href={to.runs()}>the list of runs</a>.
          </p>
        </Empty>
      );
    default:
      return at satisfies never;
  }
}

export function App() {
  const [over, setOver] = useState<'palette' | 'help' | 'export' | null>(null);
  const at = route.value;
  const canExport = enclosed === null && subjectOf(at) !== null;
  useKeys('Everywhere', [
    { keys: 'mod+k', what: 'go to or do', act: () => setOver('palette'), always: true },
    { keys: '?', what: 'these keys', act: () => setOver('help') },
    { keys: 't', what: 'theme', act: nextTheme },
    { keys: 'g r', what: 'all runs', act: () => navigate(to.runs()) },
    { keys: 'g c', what: 'all statecharts', act: () => navigate(to.charts()) },
    ...(canExport ? [{ keys: 'x', what: 'export', act: () => setOver('export') }] : []),
    ...('run' in at ? [{ keys: 'g u', what: 'up: this run', act: () => navigate(to.run(at.run)) }] : []),
  ]);
  return (
    <>
      <div id="shell">
        <Top
          at={at}
          onPalette={() => setOver('palette')}
          onHelp={() => setOver('help')}
          onExport={canExport ? () => setOver('export') : null}
        />
        <main tabIndex={-1} id="main" data-place="page">
          <Guard key={JSON.stringify(at)}>
            <Page at={at} />
          </Guard>
        </main>
      </div>
      {over === 'palette' ? (
        <Palette onClose={() => setOver(null)} onHelp={() => setOver('help')} onExport={canExport ? () => setOver('export') : null} />
      ) : null}
      {over === 'export' ? <Exports route={at} told={told()} onClose={() => setOver(null)} /> : null}
      {over === 'help' ? <Help onClose={() => setOver(null)} /> : null}
      <Toast />
    </>
  );
}

/** What a command is told beside the view. */
const told = () => ({ dir: runsDir.value, filter: shownFilter.value });

interface TopProps {
  readonly at: Route;
  readonly onPalette: () => void;
  readonly onHelp: () => void;
  /** Null where there is nothing to take. */
  readonly onExport: (() => void) | null;
}

function Top({ at, onPalette, onHelp, onExport }: TopProps) {
  return (
    <header class="top">
      <a class="skip" href="#main">
        To the content
      </a>
      <a class="brand" href={to.runs()}>
        <img src={icon} alt="" />
        <span class="word">Troupe</span>
      </a>
      <nav class="crumbs" aria-label="where you are">
        <ol>
          {crumbsOf(at).map(({ title, href }, i, all) => (
            <li key={i}>{i === all.length - 1 ? <span aria-current="page">{title}</span> : <a href={href}>{title}</a>}</li>
          ))}
        </ol>
      </nav>
      <Live />
      <div class="top-side">
        <button type="button" class="button" onClick={onPalette} title="Go to or do (Ctrl or ⌘ K)">
          <Icon name="search" /> <span class="word">Go to…</span>
        </button>
        {onExport === null ? null : (
          <button type="button" class="button quiet" onClick={onExport} title="Save as a file (x)">
            <Icon name="save" /> <span class="word">Export…</span>
          </button>
        )}
        <Copy text={() => location.href} what="the link to this view">
          <Icon name="link" /> <span class="word">Link</span>
        </Copy>
        <Copy text={() => commandOf(route.peek(), told())} what="the command that shows this in a terminal">
          <Icon name="terminal" /> <span class="word">Command</span>
        </Copy>
        <button
          type="button"
          class="button quiet"
          onClick={nextTheme}
          title={`Theme: ${theme.value}`}
          aria-label={`Theme: ${theme.value}. Switch`}
        >
          <Icon name={theme.value} />
        </button>
        <button type="button" class="button quiet" onClick={onHelp} title="Keys (?)" aria-label="Keys">
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

const liveWords = {
  live: ['live', 'connected: what happens from now on is shown as it happens'],
  ended: ['ended', 'this run goes on no more: what is shown is all there is; should it be resumed, it is shown as it happens'],
  connecting: ['connecting', 'the connection to the viewer is being made'],
  lost: ['reconnecting', 'the connection to the viewer is lost, and taken up again as soon as it answers'],
  still: ['', ''],
} as const;

function Live() {
  if (enclosed !== null)
    return (
      <span class="live" data-state="recorded" title={`this file holds ${enclosed.title} as it was recorded; nothing in it changes`}>
        recorded
      </span>
    );
  const isEnded = liveState.value === 'live' && liveRun.value !== null && liveRun.value !== 'running' && liveRun.value !== 'paused';
  const state = isEnded ? 'ended' : liveState.value;
  const [word, about] = liveWords[state];
  return (
    <span class="live" data-state={state} role="status" hidden={word === ''} title={about}>
      {word}
    </span>
  );
}

interface Crumb {
  readonly title: string;
  readonly href: string;
}

function crumbsOf(at: Route): Crumb[] {
  const runs: Crumb = { title: 'runs', href: to.runs() };
  switch (at.page) {
    case 'runs':
      return [runs];
    case 'run':
      return [runs, { title: at.run, href: to.run(at.run) }];
    case 'group':
      return [runs, { title: at.run, href: to.run(at.run) }, { title: at.group, href: to.group(at.run, at.group) }];
    case 'episode': {
      const group = at.episode.replace(/\.e\d+$/, '');
      return [
        runs,
        { title: at.run, href: to.run(at.run) },
        { title: group, href: to.group(at.run, group) },
        { title: at.episode.slice(group.length + 1) || at.episode, href: to.episode(at.run, at.episode) },
      ];
    }
    case 'compare':
      return [runs, { title: 'compare', href: '/compare' }];
    case 'charts':
      return [
        runs,
        { title: 'statecharts', href: to.charts() },
        ...(at.chart === null ? [] : [{ title: at.chart, href: to.charts(at.chart) }]),
      ];
    case 'absent':
      return [runs, { title: at.path, href: at.path }];
    default:
      return at satisfies never;
  }
}

/** A page that fails must not take the shell with it. */
class Guard extends Component<{ readonly children: ComponentChildren }, { readonly failed: string | null }> {
  override state = { failed: null };

  static override getDerivedStateFromError(error: unknown): { failed: string } {
    return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }

  override render() {
    const { failed } = this.state;
    if (failed === null) return this.props.children;
    return (
      <Empty sign="!" title="This page failed">
        <p role="alert" class="mono said">
          {failed}
        </p>
        <p>
          <button type="button" class="button" onClick={() => this.setState({ failed: null })}>
            Try again
          </button>
        </p>
      </Empty>
    );
  }
}
