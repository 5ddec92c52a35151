import { createScriptedTrainer } from '../src/gpu/trainers/scripted.ts';
import { seedOf, uniform } from '../src/random.ts';
import { describeTrainer } from './support/trainer-conformance.ts';

describeTrainer('scripted', () => ({
  trainer: createScriptedTrainer(
    8,
    Array.from({ length: 64 }, (_, i) => uniform(seedOf('table'), i)),
  ),
  vocabulary: 8,
  tolerance: 1e-12,
}));
