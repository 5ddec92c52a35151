/** The mode chart of one lane as the lane reads it: may calls start, will they again, and for what do they wait meanwhile. Knows states by name; no call and no engine. */
import { createActor, type ActorRefFrom } from 'xstate';
import { brokerMachine, type BrokerEvent } from '../machines/broker.ts';
import type { WaitsFor } from './call.ts';

export type ModeChart = ActorRefFrom<typeof brokerMachine>;

export class LaneMode {
  readonly chart: ModeChart;

  /** `chart`: not started yet; absent: one that nobody watches. */
  constructor(chart: ModeChart = createActor(brokerMachine)) {
    this.chart = chart;
  }

  /** The engine is there. `moved` is called at every event, `changed` where the mode is another than before. */
  start(moved: () => void, changed: (mode: string) => void): void {
    let known = '';
    this.chart.subscribe({
      next: () => {
        moved();
        const { name } = this;
        if (name === known) return;
        known = name;
        changed(name);
      },
      error: () => {},
    });
    this.chart.start();
    this.send('engine.ready');
  }

  send(type: BrokerEvent['type']): void {
    this.chart.send({ type });
  }

  /** The admission window is smaller than the engine could hold, or is not any more. */
  limit(isLimited: boolean): void {
    const { value } = this.chart.getSnapshot();
    if (value === 'ready' && isLimited) this.send('admission.limited');
    else if (value === 'throttled' && !isLimited) this.send('admission.relieved');
  }

  get name(): string {
    const { value } = this.chart.getSnapshot();
    return typeof value === 'string' ? value : `openCircuit.${value.openCircuit}`;
  }

  /** Calls may start now. */
  get isServing(): boolean {
    return this.chart.getSnapshot().hasTag('serving');
  }

  /** It serves, or will when what it is doing is done. */
  get isSound(): boolean {
    const snapshot = this.chart.getSnapshot();
    return snapshot.status === 'active' && !snapshot.matches('openCircuit') && !snapshot.matches('draining');
  }

  /** What a call that could start otherwise waits for. */
  get waitsFor(): WaitsFor {
    if (this.isServing) return 'slot';
    if (!this.isSound) return this.name.startsWith('openCircuit') ? 'circuit' : 'close';
    switch (this.name) {
      case 'swapping':
        return 'publication';
      case 'starting':
        return 'start';
      default:
        return 'loan';
    }
  }
}
