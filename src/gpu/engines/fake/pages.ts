/** What a server says of itself: vLLM's /metrics under vLLM's names, and the fake's own /fake/stats. Reads, changes nothing. */
import type { Brain } from './brain.ts';
import type { Office } from './generation.ts';
import { floorOf, makespanOf, occupancyOf, type Tally } from './tally.ts';

export type Asleep = 'awake' | 'weights_offloaded' | 'discard_all';

export function metricsPage({ settings, schedule, rejected, finishes, epoch }: Office, asleep: Asleep): string {
  const { tally, pool } = schedule;
  const lines: string[] = [];
  const own = `engine="0",model_name="${settings.model}"`;
  const say = (kind: 'gauge' | 'counter', name: string, rows: readonly (readonly [string, number])[], labels = own): void => {
    lines.push(`# HELP vllm:${name} ${name}.`, `# TYPE vllm:${name} ${kind}`);
    for (const [more, value] of rows)
      lines.push(`vllm:${name}{${[labels, more].filter((part) => part !== '').join(',')}} ${decimal(value)}`);
  };
  say('gauge', 'num_requests_running', [['', schedule.running]]);
  say('gauge', 'num_requests_waiting', [['', schedule.waiting]]);
  say('gauge', 'num_requests_waiting_by_reason', [
    ['reason="capacity"', Math.max(0, schedule.waiting - schedule.deferred)],
    ['reason="deferred"', schedule.deferred],
  ]);
  say(
    'gauge',
    'engine_sleep_state',
    (['awake', 'weights_offloaded', 'discard_all'] as const).map((state) => [`sleep_state="${state}"`, Number(state === asleep)]),
  );
  say('gauge', 'kv_cache_usage_perc', [['', pool.use]]);
  say('counter', 'prefix_cache_queries_total', [['', tally.queried]]);
  say('counter', 'prefix_cache_hits_total', [['', tally.cached]]);
  say('counter', 'num_preemptions_total', [['', tally.preemptions]]);
  say('counter', 'prompt_tokens_total', [['', tally.queried]]);
  say('counter', 'prompt_tokens_cached_total', [['', tally.cached]]);
  say('counter', 'generation_tokens_total', [['', tally.generated]]);
  say('counter', 'request_success_total', [
    ...Object.entries(finishes).map(([reason, count]) => [`finished_reason="${reason}"`, count] as const),
    ['finished_reason="error"', 0],
    ['finished_reason="repetition"', 0],
  ]);
  say(
    'counter',
    'admission_rejections_total',
    [
      ['reason="max_num_queued_reqs"', rejected],
      ['reason="max_num_queued_tokens"', 0],
    ],
    `model_name="${settings.model}"`,
  );
  const { running, waiting } = schedule.adapters();
  const adapters = `max_lora="${settings.maxAdapters}",running_lora_adapters="${running.join(',')}",waiting_lora_adapters="${waiting.join(',')}"`;
  say('gauge', 'lora_requests_info', [['', epoch]], adapters);
  say(
    'gauge',
    'cache_config_info',
    [['', 1]],
    `block_size="16",enable_prefix_caching="True",engine="0",num_gpu_blocks="${settings.blocks}"`,
  );
  return `${lines.join('\n')}\n`;
}

/** Prometheus text has no whole numbers. */
const decimal = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));

/** Answer of GET /fake/stats. Times are simulated milliseconds, CPU is the process's. */
export interface FakeStats extends Tally {
  readonly requests: number;
  readonly rejected: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly sockets: number;
  readonly running: number;
  readonly waiting: number;
  readonly makespanMs: number;
  /** No order of the same calls would have taken less. */
  readonly floorMs: number;
  /** Share of the places that were taken, over the makespan. */
  readonly occupancy: number;
  readonly cpuMs: number;
  /** What the simulated roles were asked, and what of it was answered wrongly on purpose: the truth about them. */
  readonly brain: Brain['tally'];
}

export function statsOf(office: Office, requests: number, faults: Readonly<Record<string, number>>, sockets: number): FakeStats {
  const { schedule, settings, rejected } = office;
  const { tally } = schedule;
  const cpu = process.cpuUsage();
  return {
    ...tally,
    requests,
    rejected,
    faults,
    sockets,
    running: schedule.running,
    waiting: schedule.waiting,
    makespanMs: makespanOf(tally),
    floorMs: floorOf(tally, settings),
    occupancy: occupancyOf(tally, settings),
    cpuMs: (cpu.user + cpu.system) / 1000,
    brain: office.brain.tally,
  };
}
