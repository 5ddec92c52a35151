/** Who told whom, event by event: a lane an actor, an arrow a message. Only the stretch in sight is drawn, whatever the number of events. */
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { lanes, messagesOf } from './lane-messages.ts';
import type { Selection } from './selection.ts';
import type { Timeline } from './timeline.ts';
import { WhoMark } from './who.tsx';

interface SequenceProps {
  readonly timeline: Timeline;
  readonly selection: Selection;
}

/** Pixels: from event to event, from lane to lane. */
const step = 18;
const lane = 20;
/** Events drawn beyond either edge. */
const batch = 20;
const height = lanes.length * lane;
const yOf = (index: number): number => index * lane + lane / 2;

export function Sequence({ timeline, selection: { event, pickEvent } }: SequenceProps) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ left: 0, width: 1200 });
  const read = (): void => {
    const { scrollLeft = 0, clientWidth = 1200 } = box.current ?? {};
    setView((now) => (now.left === scrollLeft && now.width === clientWidth ? now : { left: scrollLeft, width: clientWidth }));
  };
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const resized = new ResizeObserver(read);
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null || event < 0) return;
    const x = event * step;
    if (x < element.scrollLeft + step * 2 || x > element.scrollLeft + element.clientWidth - step * 4)
      element.scrollLeft = x - element.clientWidth / 2;
    read();
  }, [event]);
  // By steps, so that scrolling seldom draws anew.
  const from = Math.max(0, Math.floor(view.left / step / batch) * batch - batch);
  const until = Math.min(timeline.length, from + Math.ceil(view.width / step / batch) * batch + 3 * batch);
  const width = Math.max((until - from) * step, view.width);
  const messageOf = useMemo(() => messagesOf(timeline.outline), [timeline]);
  const choose = (click: MouseEvent): void => {
    const element = box.current;
    if (element === null) return;
    const x = click.clientX - element.getBoundingClientRect().left + element.scrollLeft;
    const at = Math.floor(x / step);
    if (at < timeline.length) pickEvent(at);
  };
  return (
    <div class="sequence">
      <ul class="sequence-names" aria-hidden="true">
        {lanes.map((name) => (
          <li key={name}>
            <WhoMark who={name} />
          </li>
        ))}
      </ul>
      <div
        class="sequence-box"
        role="region"
        aria-label="messages between actors; the slider above moves through them"
        tabIndex={0}
        ref={box}
        onScroll={read}
      >
        <div class="sequence-all" style={{ width: `${timeline.length * step}px`, height: `${height}px` }}>
          <svg
            role="img"
            aria-label={`events ${from + 1} to ${until} of ${timeline.length}, lanes ${lanes.join(', ')}`}
            style={{ left: `${from * step}px` }}
            viewBox={`${from * step} 0 ${width} ${height}`}
            width={width}
            height={height}
            onClick={choose}
          >
            {lanes.map((name, i) => (
              <line key={name} class="lane" x1={from * step} x2={from * step + width} y1={yOf(i)} y2={yOf(i)} />
            ))}
            {event >= from && event < until ? <rect class="sequence-now" x={event * step} y="0" width={step} height={height} /> : null}
            {Array.from({ length: Math.max(0, until - from) }, (_, i) => {
              const at = from + i;
              const message = messageOf(timeline.outline.actor[at] ?? -1, timeline.outline.type[at] ?? -1);
              return message === null ? null : <Arrow key={at} x={at * step + step / 2} at={at} timeline={timeline} {...message} />;
            })}
          </svg>
        </div>
      </div>
    </div>
  );
}

type ArrowProps = NonNullable<ReturnType<ReturnType<typeof messagesOf>>> & {
  readonly x: number;
  readonly at: number;
  readonly timeline: Timeline;
};

function Arrow({ x, at, from, to, word, isTrouble, timeline }: ArrowProps) {
  const end = yOf(lanes.indexOf(to));
  const title = <title>{`${at + 1}: ${from === null ? '' : `${from} → `}${to}: ${word}`}</title>;
  const start = from === null ? end : yOf(lanes.indexOf(from));
  const isDisagreeing = !timeline.agrees(at);
  const className = isTrouble ? 'message trouble' : 'message';
  if (start === end)
    return (
      <g class={className} data-who={to}>
        {title}
        {isTrouble ? <path d={`M${x - 4} ${end - 4}l8 8m0 -8l-8 8`} /> : <circle cx={x} cy={end} r="3" />}
        {isDisagreeing ? <Disagreeing x={x} /> : null}
      </g>
    );
  const down = end > start ? 1 : -1;
  return (
    <g class={className} data-who={from}>
      {title}
      <path d={`M${x} ${start}V${end - down * 3}`} />
      <path class="head" d={`M${x - 3.5} ${end - down * 6}h7l-3.5 ${down * 6}z`} />
      {isTrouble ? <path d={`M${x - 3} ${(start + end) / 2 - 3}l6 6m0 -6l-6 6`} /> : null}
      {isDisagreeing ? <Disagreeing x={x} /> : null}
    </g>
  );
}

/** The state was not the recorded one. */
function Disagreeing({ x }: { readonly x: number }) {
  return (
    <text class="disagrees" x={x - 3} y={10}>
      ≠
    </text>
  );
}
