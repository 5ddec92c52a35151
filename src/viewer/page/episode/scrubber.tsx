/** A slider over all events: a row of marks for each actor, a knob, and buttons to play, reverse and step. The browser's own range does the dragging and the keys. */
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { whole } from '../format.ts';
import { lanes } from './lane-messages.ts';
import { type Player, type Speed, speeds } from './player.ts';
import type { Selection } from './selection.ts';
import { tickAt, ticksOf } from './ticks.ts';
import { stateWords, type Timeline } from './timeline.ts';

interface ScrubberProps {
  readonly timeline: Timeline;
  readonly selection: Selection;
  readonly player: Player;
}

/** Pixels: height of a row of marks, and the half of the knob by which the range's ends lie inside its box. */
const row = 5;
const inset = 8;

export function Scrubber({ timeline, selection, player }: ScrubberProps) {
  const { event, pickEvent } = selection;
  const last = timeline.length - 1;
  return (
    <div class="scrubber">
      <div class="scrubber-buttons" role="group" aria-label="play">
        <Button label="to the first event" sign="M3 3v10M13 3l-8 5l8 5z" onClick={() => pickEvent(0)} />
        <Button label="one event back" sign="M10 4l-4 4l4 4" isLine onClick={() => selection.moveEvent(-1)} />
        <Button
          label={player.direction === -1 ? 'stop' : 'play backwards'}
          sign={player.direction === -1 ? 'M4 4h8v8h-8z' : 'M12 3l-9 5l9 5z'}
          pressed={player.direction === -1}
          onClick={() => player.play(-1)}
        />
        <Button
          label={player.direction === 1 ? 'stop' : 'play'}
          sign={player.direction === 1 ? 'M4 4h8v8h-8z' : 'M4 3l9 5l-9 5z'}
          pressed={player.direction === 1}
          onClick={() => player.play(1)}
        />
        <Button label="one event on" sign="M6 4l4 4l-4 4" isLine onClick={() => selection.moveEvent(1)} />
        <Button label="to the last event" sign="M13 3v10M3 3l8 5l-8 5z" onClick={() => pickEvent(last)} />
        <select
          class="field"
          aria-label="events a second"
          value={player.speed}
          onChange={(change) => player.setSpeed(Number(change.currentTarget.value) as Speed)}
        >
          {speeds.map((speed) => (
            <option key={speed} value={speed}>
              {speed}/s
            </option>
          ))}
        </select>
      </div>
      <Track timeline={timeline} selection={selection} />
      <output class="scrubber-words number">
        <b>
          {whole(event + 1)} of {whole(timeline.length)}
        </b>
        <span class="mono one-line">{timeline.typeOf(event)}</span>
        <span class="muted one-line">
          {timeline.actorOf(event)} → {stateWords(timeline.valueOf(event))}
        </span>
      </output>
    </div>
  );
}

interface ButtonProps {
  readonly label: string;
  readonly sign: string;
  /** Drawn open, not filled. */
  readonly isLine?: boolean;
  readonly pressed?: boolean;
  readonly onClick: () => void;
}

function Button({ label, sign, isLine = false, pressed, onClick }: ButtonProps) {
  return (
    <button type="button" class="button quiet" aria-label={label} title={label} aria-pressed={pressed} onClick={onClick}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <path d={sign} fill={isLine ? 'none' : 'currentColor'} stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" />
      </svg>
    </button>
  );
}

function Track({ timeline, selection: { event, pickEvent } }: Pick<ScrubberProps, 'timeline' | 'selection'>) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const resized = new ResizeObserver(() => setWidth(Math.max(40, element.clientWidth - 2 * inset)));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  const ticks = useMemo(() => ticksOf(timeline.outline, width), [timeline, width]);
  const knob = inset + tickAt(event, timeline.length, width);
  const words = `event ${event + 1} of ${timeline.length}, ${timeline.actorOf(event)} received ${timeline.typeOf(event)}, now ${stateWords(timeline.valueOf(event))}`;
  return (
    <div class="track" ref={box}>
      <svg class="ticks" width="100%" height={lanes.length * row} aria-hidden="true">
        {ticks.map(({ lane, plain, trouble }, i) => (
          <g key={lane} transform={`translate(${inset} ${i * row + 1}) scale(1 ${row - 2})`}>
            <path class="tick" data-who={lane} d={plain} />
            {/* Half as high, so that it hides nothing. */}
            <path class="tick trouble" d={trouble} transform="scale(1 0.55)" />
          </g>
        ))}
      </svg>
      <i class="knob" style={{ transform: `translateX(${knob}px)` }} />
      <input
        type="range"
        aria-label="event"
        aria-valuetext={words}
        min={0}
        max={timeline.length - 1}
        step={1}
        value={event}
        onInput={(input) => pickEvent(Number(input.currentTarget.value))}
      />
    </div>
  );
}
