/** The models a server answers as: its base, and adapters loaded while it runs. Looks into an adapter's directory as far as vLLM does before it loads one. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hashOf } from './chain.ts';
import { Refusal, internal, unknownModel } from './refusal.ts';
import type { FakeSettings } from './settings.ts';

export interface Served {
  readonly name: string;
  /** Undefined: the base. */
  readonly dir: string | undefined;
  /** Stands for its weights; 0 = the base. */
  readonly weights: number;
  /** Of its part of the prefix cache: name and path, as since vLLM 0.31. */
  readonly owner: number;
}

export class Adapters {
  readonly #settings: FakeSettings;
  readonly #loaded = new Map<string, Served>();
  readonly #base: Served;
  readonly #root: string;

  constructor(settings: FakeSettings, root: string) {
    this.#settings = settings;
    this.#root = root;
    this.#base = { name: settings.model, dir: undefined, weights: 0, owner: 0 };
  }

  get names(): string[] {
    return [this.#base.name, ...this.#loaded.keys()];
  }

  /** Throws 404. Without a name the base is meant. */
  serving(name: string | undefined): Served {
    if (name === undefined || name === this.#base.name) return this.#base;
    const served = this.#loaded.get(name);
    if (served === undefined) throw unknownModel(name, this.names);
    return served;
  }

  /** Throws what vLLM answers where it cannot be loaded. */
  load(name: string, dir: string, inPlace: boolean): string {
    if (name === this.#base.name)
      throw new Refusal(400, 'InvalidUserInput', `The lora adapter '${name}' conflicts with a served base model.`);
    if (this.#loaded.has(name) && !inPlace)
      throw new Refusal(
        400,
        'InvalidUserInput',
        `The lora adapter '${name}' has already been loaded. If you want to load the adapter in place, set 'load_inplace' to True.`,
      );
    if (this.#settings.checkAdapters) this.#look(name, dir);
    this.#loaded.set(name, { name, dir, weights: hashOf(dir), owner: hashOf(`${name}\n${dir}`) });
    return `Success: LoRA adapter '${name}' added successfully.`;
  }

  unload(name: string): string {
    if (!this.#loaded.delete(name)) throw new Refusal(404, 'NotFoundError', `The lora adapter '${name}' cannot be found.`);
    return `Success: LoRA adapter '${name}' removed successfully.`;
  }

  /** As after a restart. */
  forget(): void {
    this.#loaded.clear();
  }

  cards(created: number): object[] {
    return [this.#base, ...this.#loaded.values()].map(({ name, dir }, index) => ({
      id: name,
      object: 'model',
      created,
      owned_by: 'vllm',
      root: dir ?? this.#root,
      parent: dir === undefined ? null : this.#base.name,
      max_model_len: dir === undefined ? this.#settings.contextLength : null,
      permission: [
        {
          id: `modelperm-${index.toString(16).padStart(16, '0')}`,
          object: 'model_permission',
          created,
          allow_create_engine: false,
          allow_sampling: true,
          allow_logprobs: true,
          allow_search_indices: false,
          allow_view: true,
          allow_fine_tuning: false,
          organization: '*',
          group: null,
          is_blocking: false,
        },
      ],
    }));
  }

  #look(name: string, dir: string): void {
    let rank: unknown;
    try {
      rank = (JSON.parse(readFileSync(join(dir, 'adapter_config.json'), 'utf8')) as { r?: unknown }).r;
      if (!statSync(join(dir, 'adapter_model.safetensors')).isFile()) throw new Error('no file');
    } catch {
      throw new Refusal(404, 'NotFoundError', `Loading lora ${name} failed: No adapter found for ${dir}`);
    }
    const { maxRank } = this.#settings;
    if (typeof rank !== 'number' || rank > maxRank)
      throw internal(
        `Call to add_lora method failed: Worker failed with error 'LoRA rank ${String(rank)} is greater than max_lora_rank ${maxRank}.', please check the stack trace above for the root cause`,
      );
  }
}
