/** What a run left on disk, read as an auditor would: groups, steps, versions, rewards, weights. Knows the record's form and nothing of what was done to the run. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chainOf } from '../../src/gpu/policy-update-commit.ts';
import { unpack } from '../../src/protocol/codec.ts';
import type { RolloutGroup } from '../../src/protocol/group.ts';
import type { StepCommitted, Weights } from '../../src/protocol/policy.ts';
import { framesFrom } from '../../src/record/reader.ts';
import { paidTwice } from './runs.ts';

export interface Audit {
  readonly steps: readonly string[];
  /** Sealed more than once. */
  readonly sealedTwice: readonly string[];
  /** Sealed for a committed step and not in it, or the other way round. */
  readonly astray: readonly string[];
  /** Commits whose chain value is not that of what stands before them. */
  readonly unchained: readonly string[];
  /** Steps that took the version anywhere but to the next, or with nothing trained anywhere at all. */
  readonly jumps: readonly string[];
  /** Optimiser steps by three counts: commits that trained, what the run remembers, what the trainer's own state says. */
  readonly updates: { readonly committed: number; readonly remembered: number; readonly applied: number };
  /** Episodes with a reward that no verdict and no doing of the policy's gave them. */
  readonly unearned: readonly string[];
  readonly paidTwice: readonly string[];
  /** The final version was published, from a file that is what it was published as. */
  readonly isPublished: boolean;
  /** Members lost to faults. */
  readonly lost: number;
}

export function audit(dir: string): Audit {
  const { groups, commits, published } = read(dir);
  const ids = groups.map(({ id }) => id as string);
  const of = (step: string): string[] => groups.filter((group) => group.step === step).map(({ id }) => id as string);
  const last = commits.at(-1) as StepCommitted;
  const checkpoint = join(dir, 'checkpoints', last.step);
  const remembered = JSON.parse(readFileSync(join(checkpoint, 'run.json'), 'utf8')) as { updates: number; sha256: string };
  const final = published.at(-1);
  return {
    steps: commits.map(({ step }) => step),
    sealedTwice: ids.filter((id, n) => ids.indexOf(id) !== n),
    astray: commits.flatMap(({ step, groups: trained }) => [
      ...of(step).filter((id) => !(trained as string[]).includes(id)),
      ...trained.filter((id) => !of(step).includes(id)),
    ]),
    unchained: commits.flatMap(({ chain, ...body }, n) => (chain === chainOf(commits[n - 1]?.chain ?? null, body) ? [] : [body.step])),
    jumps: commits.flatMap(({ step, version, trained }, n) =>
      version - (commits[n - 1]?.version ?? 0) === (trained > 0 ? 1 : 0) ? [] : [step],
    ),
    updates: {
      committed: commits.filter(({ trained }) => trained > 0).length,
      remembered: remembered.updates,
      applied: appliedBy(join(checkpoint, 'state')),
    },
    unearned: groups.flatMap(({ episodes }) =>
      episodes.flatMap(({ id, reward, outcome }) =>
        reward === null ||
        outcome.kind === 'scored' ||
        outcome.kind === 'policyFault' ||
        (outcome.kind === 'truncated' && outcome.by === 'policy')
          ? []
          : [`${id} ${outcome.kind} ${reward}`],
      ),
    ),
    paidTwice: paidTwice(dir),
    isPublished:
      final !== undefined && final.version === last.version && final.sha256 === remembered.sha256 && hashOf(final) === final.sha256,
    lost: groups.reduce((sum, { episodes, missing }) => sum + missing.length + episodes.filter(({ reward }) => reward === null).length, 0),
  };
}

/** What was said and what it earned, whatever it took: the attempt that an episode ended with is not part of it. */
export const playedIn = (dir: string) =>
  read(dir)
    .groups.flatMap(({ episodes }) => episodes.map(({ id, turns, reward, seed }) => ({ id, turns, reward, seed })))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));

export const commitsOf = (dir: string): readonly StepCommitted[] => read(dir).commits;
export const finalWeights = (dir: string): Weights => read(dir).published.at(-1) as Weights;

function read(dir: string): { groups: RolloutGroup[]; commits: StepCommitted[]; published: Weights[] } {
  const found = { groups: [] as RolloutGroup[], commits: [] as StepCommitted[], published: [] as Weights[] };
  for (const { frame } of framesFrom(join(dir, 'journal'))) {
    if (frame.kind === 'group.sealed') found.groups.push(unpack(frame.bytes) as RolloutGroup);
    else if (frame.kind === 'step.committed') found.commits.push(frame.committed);
    // A run that was moved since is still the same run.
    else if (frame.kind === 'policy.published')
      found.published.push({ ...frame.weights, dir: join(dir, ...frame.weights.dir.split('/').slice(-3)) });
  }
  return found;
}

/** The trainer's own count of its steps: of the torch trainer, or of the scripted one. */
function appliedBy(state: string): number {
  const torch = join(state, 'state.json');
  if (existsSync(torch)) return (JSON.parse(readFileSync(torch, 'utf8')) as { step: number }).step;
  return readFileSync(join(state, 'state.f64')).readDoubleLE(0);
}

const hashOf = ({ dir, kind }: Weights): string =>
  createHash('sha256')
    .update(readFileSync(join(dir, kind === 'lora' ? 'adapter_model.safetensors' : 'model.safetensors')))
    .digest('hex');
