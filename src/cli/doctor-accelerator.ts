/** Whether cards, memory and servers are there for a config that uses vLLM or torch, and what each server can do of what we rely on. Starts no server. */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { systemClock } from '../actors/clock.ts';
import { isTimesliced } from '../actors/settings.ts';
import type { Config } from '../config.ts';
import { readCards } from '../gpu/cards.ts';
import { type Capability, probeServer } from '../gpu/engines/vllm/capabilities.ts';
import { gibibytes } from '../gpu/memory-plan.ts';
import { boundary, EngineFault } from '../errors.ts';
import { attempt, type Check } from './check.ts';
import { type ModelPlan, modelPlanOf } from './model-plan.ts';
import type { Environment } from './settings/environment.ts';

/** One question to a server; the first that asks for log-probs may compile for a quarter of a minute. */
const questionMs = 60_000;
/** A model that a CPU can train in a lifetime. */
const smallModel = 1e9;

export async function acceleratorChecks(config: Config, env: Environment): Promise<Check[]> {
  const { engine, trainer } = config;
  if (engine.kind !== 'vllm' && trainer.kind !== 'torch') return [];
  let plan: ModelPlan | null = null;
  const model = await attempt(
    'model',
    'set policy.model to a model directory, or to the name of one that `hf download` has put into the cache',
    async () => {
      plan = await modelPlanOf(config, undefined, env);
      const { here, facts, model: name } = plan as ModelPlan;
      if (!here) throw new EngineFault(`${name} is not on this machine`);
      return `${name}: ${facts.family}, ${facts.layers} layers of ${facts.hidden}`;
    },
  );
  // Its only other trouble is a model that is not there, which the first row has said.
  const found = plan as ModelPlan | null;
  return [
    found === null || found.here ? model : { ...model, fix: `hf download ${found.model}` },
    ...(found === null ? [] : await cardChecks(config, found)),
    ...(engine.kind === 'vllm' ? [openFilesCheck(engine.vllm.connections * Math.max(1, engine.vllm.servers.length))] : []),
    ...(engine.kind === 'vllm' ? await serverChecks(config, found) : []),
  ].flat();
}

async function cardChecks({ trainer, engine }: Config, { memory, changes, parameters }: ModelPlan): Promise<Check[]> {
  // Both on the CPU, as the config says; or the servers' cards are elsewhere and nothing is trained.
  if (memory === null || (trainer.kind !== 'torch' && engine.vllm.servers.length > 0)) return [];
  const cards = await readCards();
  const [card] = cards;
  if (card === undefined) {
    const ok = trainer.torch.device === 'auto' && parameters < smallModel;
    return [
      {
        what: 'card',
        ok,
        found: 'nvidia-smi names none: the CPU computes',
        fix: 'a machine with a GPU; or a small model and trainer.torch.device: cpu',
      },
    ];
  }
  const names = cards.map(({ name, bytes, freeBytes }) => `${name}: ${gibibytes(freeBytes)} of ${gibibytes(bytes)} free`);
  const rows: Check[] = [
    {
      what: 'card',
      ok: card.freeBytes > card.bytes * 0.9,
      found: names.join('; '),
      fix: 'end what else uses it: nvidia-smi lists the processes',
      optional: true,
    },
    {
      what: 'card memory',
      ok: memory.problem === null,
      found:
        memory.problem ??
        `trainer ${gibibytes(memory.trainerBytes)}, ${memory.kvTokens} tokens of cache for ${memory.contexts} full contexts`,
      fix: changes.length === 0 ? 'see --dry-run' : `one of: ${changes.join('; ')}`,
    },
  ];
  if (memory.hostBytes > 0)
    rows.push({
      what: 'host memory',
      ok: totalmem() > memory.hostBytes * 1.25,
      found: `${gibibytes(totalmem())}; a sleeping server needs ${gibibytes(memory.hostBytes)} of it`,
      fix: 'more memory, or trainer.torch.sharing: coresident',
    });
  return rows;
}

/** Every call holds a socket; the journal, threads and modules some more. */
function openFilesCheck(sockets: number): Check {
  const needed = sockets + 256;
  const limit = softLimit();
  return {
    what: 'open files',
    ok: limit === null || limit >= needed,
    found: limit === null ? 'limit unknown here' : `${limit} allowed, up to ${needed} used`,
    fix: `ulimit -n ${needed}, or a lower engine.vllm.connections`,
  };
}

/** null where the system keeps no such file (macOS), or has no limit. */
function softLimit(): number | null {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}

async function serverChecks(config: Config, plan: ModelPlan | null): Promise<Check[]> {
  const { engine, trainer, rollout, roles } = config;
  const simulates = Object.values(roles).includes('lm');
  const middle = Math.floor((plan?.facts.vocab ?? 8) / 2);
  const probed = engine.vllm.servers.map(async (url) => {
    const rows = await boundary(EngineFault, url, () =>
      probeServer(url, {
        clock: systemClock,
        servedModel: engine.vllm.servedModel,
        contextLength: rollout.contextLength,
        versions: rollout.staleness + 1,
        adapters: trainer.adapter === 'lora',
        sleeps: isTimesliced(config),
        prompt: [0, 1, 2, 3].map((offset) => middle + offset),
        deadlineMs: questionMs,
      }),
    );
    return rows.map((row) => checkOf(url, row, simulates));
  });
  return (await Promise.all(probed)).flat();
}

function checkOf(url: string, { what, needed, ok, found, fix }: Capability, simulates: boolean): Check {
  const optional = needed === 'optional' || (needed === 'simulators' && !simulates);
  return { what: `${new URL(url).host} ${what}`, ok, found, fix, ...(optional ? { optional: true as const } : {}) };
}
