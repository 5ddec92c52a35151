/** What a config asks of a card's memory: the settings turned into the memory plan's terms. Does no arithmetic of its own. */
import type { Config } from '../config.ts';
import { memoryPlan, type MemoryDemand, type MemoryPlan } from '../gpu/memory-plan.ts';
import type { ModelFacts } from '../gpu/model-facts.ts';
import { trains } from './settings.ts';

/** null where no card is asked for: neither vLLM nor torch is used, or both are told to use the CPU. */
export function memoryPlanFor(config: Config, facts: ModelFacts, cardBytes: number): MemoryPlan | null {
  const demand = demandOf(config, facts, cardBytes);
  return demand === null ? null : memoryPlan(demand);
}

function demandOf(config: Config, facts: ModelFacts, cardBytes: number): MemoryDemand | null {
  const { engine, trainer, rollout } = config;
  const { vllm } = engine;
  const { torch, lora } = trainer;
  const torchTrains = trains(config) && trainer.kind === 'torch';
  const serves = engine.kind === 'vllm';
  if ((!torchTrains && !serves) || (torchTrains && torch.device === 'cpu')) return null;
  const bytes = (dtype: string): 2 | 4 => (dtype === 'float32' ? 4 : 2);
  return {
    facts,
    cardBytes,
    // Servers that run already have their own memory; one that is told its card by name is not the trainer's neighbour.
    sharing: vllm.servers.length > 0 || 'CUDA_VISIBLE_DEVICES' in vllm.env ? 'separate' : torch.sharing,
    server: serves
      ? {
          bytesPerWeight: bytes(vllm.dtype),
          contextLength: rollout.contextLength,
          maxSequences: vllm.maxSequences,
          adapters: trainer.adapter === 'lora' ? rollout.staleness + 2 : 0,
          rank: lora.rank,
          share: vllm.gpuMemory,
        }
      : null,
    trainer: torchTrains
      ? {
          bytesPerWeight: bytes(torch.dtype),
          adapter: trainer.adapter === 'lora' ? { rank: lora.rank, targets: lora.targets } : null,
          reference: trainer.kl > 0,
          tokens: Math.max(trainer.microBatchTokens, rollout.contextLength),
          checkpointing: torch.gradientCheckpointing,
        }
      : null,
  };
}
