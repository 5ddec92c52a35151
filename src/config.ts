/**
 * What an experiment may ask for: one strict schema. Each field says what it means, in which unit, and where its default comes from;
 * `config explain <key>` prints just that. Defaults are TRUSTEE's (arXiv 2604.17739, section "Experiments") where the paper gives a number.
 * Knows no file, flag or environment variable: those are read in cli/settings/.
 */
import { z } from 'zod';
import { Difficulty } from './protocol/task.ts';

const count = z.int().min(1);
const natural = z.int().min(0);
const share = z.number().min(0).max(1);
const positive = z.number().gt(0);
const milliseconds = z.number().gt(0).max(86_400_000);
const threads = z.int().min(0).max(256);
const reward = z.number().min(-1).max(1);

const Budget = z.strictObject({
  tokens: count.optional().describe('Ends the run cleanly once this many tokens have been sampled, user, tool and judge models included.'),
  minutes: positive.optional().describe('Ends the run cleanly after this many minutes; the step under way is finished first.'),
});

const Vllm = z.strictObject({
  servers: z
    .array(z.url({ protocol: /^https?$/ }))
    .max(64)
    .default([])
    .describe(
      'Base URLs of running servers (http://127.0.0.1:8000), each with the same base model. Empty: Troupe starts one itself and ends it.',
    ),
  servedModel: z.string().min(1).default('base').describe('Name under which the servers serve the frozen base.'),
  command: z
    .array(z.string().min(1))
    .min(1)
    .default(['{python}', '-m', 'vllm.entrypoints.openai.api_server', '--model', '{model}'])
    .describe(
      'How a server is started: {python} and {model} are filled in, and the flags that Troupe relies on are added. `--dry-run` prints the whole.',
    ),
  args: z.array(z.string()).default([]).describe('More flags for a server that Troupe starts; they come last, so they win.'),
  env: z.record(z.string(), z.string()).default({}).describe('Environment of a server that Troupe starts, beside its own.'),
  port: z.int().min(0).max(65_535).default(0).describe('Port of a server that Troupe starts, on 127.0.0.1 only; 0 = a free one.'),
  startMs: milliseconds.default(600_000).describe('Milliseconds until a started server must have answered one token.'),
  healthMs: milliseconds
    .default(30_000)
    .describe('Milliseconds between two questions whether a server that Troupe started still answers; its death is noticed at once.'),
  answerMs: milliseconds
    .default(120_000)
    .describe('Milliseconds such a question may take under load; a server that misses two in a row is ended and started again.'),
  dtype: z
    .enum(['auto', 'float32', 'bfloat16', 'float16'])
    .default('auto')
    .describe('Number format of the server’s weights; the trainer’s should be the same.'),
  maxSequences: count
    .max(4096)
    .default(256)
    .describe(
      'Sequences a server runs at once (--max-num-seqs); the broker sends some more, so that a slot never waits for its next call.',
    ),
  gpuMemory: share
    .optional()
    .describe('Share of the GPU a started server may take (--gpu-memory-utilization). Absent: what the memory plan says (see --dry-run).'),
  connections: count
    .max(16_384)
    .default(512)
    .describe('Sockets to one server at most; calls beyond it wait. Keep it below the limit of open files.'),
  replyBytes: count.default(64 * 1024 * 1024).describe('A longer reply is refused unread.'),
  pollMs: milliseconds.default(500).describe('Milliseconds between two readings of a server’s load (/metrics).'),
});

const Engine = z.strictObject({
  kind: z
    .enum(['embedded', 'scripted', 'vllm', 'fake'])
    .default('embedded')
    .describe(
      'What samples tokens. embedded: our own transformer on this CPU; vllm: one or more vLLM servers; fake: a vLLM server without a model, on this machine (dry runs, benches); scripted: replies from the oracle and the seed, no model and no server (tests).',
    ),
  threads: threads.default(0).describe('Kernel threads; 0 = one per core.'),
  deterministic: z
    .boolean()
    .default(false)
    .describe('Same seed, same bytes: plain SIMD kernels, fixed reduction order, groups consumed in id order. Some 10–20 % slower.'),
  batch: count.max(4096).default(64).describe('Sequences the embedded engine decodes together.'),
  scripted: z
    .strictObject({
      skill: share.default(0.5).describe('How often the scripted policy does what the oracle would do; otherwise it errs.'),
      latencyMs: z.number().min(0).default(0).describe('Milliseconds a scripted call takes.'),
      slowMs: z.number().min(0).default(100).describe('Milliseconds a slow scripted call takes.'),
      error: share.default(0).describe('Share of scripted calls that fail.'),
      malformed: share.default(0).describe('Share of scripted calls whose reply breaks the contract.'),
      hang: share.default(0).describe('Share of scripted calls that are never answered.'),
      slow: share.default(0).describe('Share of scripted calls that take slowMs.'),
    })
    .prefault({})
    .describe('Only for kinds scripted and fake: how good it is and, for scripted, what goes wrong.'),
  vllm: Vllm.prefault({}).describe('Only for kinds vllm and fake: which servers, or how to start one.'),
  fake: z
    .strictObject({
      timeScale: z
        .number()
        .min(0)
        .max(100)
        .default(0)
        .describe('Wall milliseconds a simulated one takes; 0 = answers at once, 1 = as an H100 with an 8B model would.'),
      brain: z
        .strictObject({
          malformed: share.default(0).describe('Share of replies that cannot be read.'),
          inconsistent: share.default(0).describe('Share of replies of the tools that contradict the world.'),
          leaking: share.default(0).describe('Share of replies of the user that tell everything at once.'),
          hanging: share.default(0).describe('Share of replies that never come.'),
          hostile: share.default(0).describe('Share of replies that try to break out: injections, prototypes, floods.'),
          misjudging: share.default(0).describe('Share of the judge’s answers that are turned round.'),
          variance: share.default(0).describe('Share of the tools’ answers that depend on the seed of the request, each a possible one.'),
        })
        .prefault({})
        .describe('What goes wrong with the simulated roles that the fake plays from the procedural world.'),
    })
    .prefault({})
    .describe('Only for kind fake.'),
});

const Policy = z.strictObject({
  model: z
    .string()
    .min(1)
    .default('models/tiny-base')
    .describe(
      'Directory of the model to start from, in Hugging Face form: config.json, tokenizer.json, *.safetensors; or a name such as Qwen/Qwen3-8B that the Hugging Face cache holds. Relative paths are tried from the working directory, then from this package.',
    ),
  adapter: z
    .string()
    .min(1)
    .optional()
    .describe('Directory of a LoRA adapter that the model starts with, to be measured and not trained: `eval` sets it. Needs steps 0.'),
  thinking: z
    .boolean()
    .default(false)
    .describe(
      'Whether a model that can think before it speaks (Qwen3) is asked to. Its thoughts are trained, kept in its own context, and shown to nobody else.',
    ),
});

const Trainer = z.strictObject({
  kind: z
    .enum(['embedded', 'scripted', 'torch', 'tinker'])
    .default('embedded')
    .describe(
      'What updates the weights. embedded: our own, on this CPU; torch: PyTorch and peft in a process of its own; scripted: counts steps and changes nothing.',
    ),
  threads: threads
    .default(0)
    .describe('Kernel threads; 0 = one per core, for torch on a CPU one: more wait for each other where others use the cores.'),
  objective: z.enum(['grpo', 'cispo']).default('grpo').describe('Token-level loss. grpo: TRUSTEE; cispo: MiniMax-M1 (arXiv 2506.13585).'),
  learningRate: positive.max(10).default(1e-6).describe('Step size. 1e-6: TRUSTEE, for 8B models; tiny policies need about 3e-4.'),
  warmup: natural.default(0).describe('Steps over which the learning rate rises to its value.'),
  clipLow: share.default(0.2).describe('ε below 1: ratios under 1 − clipLow are clipped. 0.2: TRUSTEE.'),
  clipHigh: z.number().min(0).max(10).default(0.2).describe('ε above 1. 0.2: TRUSTEE; 0.28 = "clip higher" of DAPO (arXiv 2503.14476).'),
  kl: z.number().min(0).default(0.001).describe('Weight of the KL to the frozen base. 0.001: TRUSTEE; 0 spares its forward pass.'),
  std: z
    .boolean()
    .default(true)
    .describe('Divide advantages by the group’s standard deviation (GRPO); false: Dr. GRPO (arXiv 2503.20783).'),
  constantLength: natural
    .default(0)
    .describe(
      'Dr. GRPO’s loss denominator: tokens per rollout whatever it sampled; 0 = the step’s sampled tokens (token-level loss, TRUSTEE).',
    ),
  importance: z.enum(['none', 'token']).default('none').describe('token: truncated importance sampling between sampler and trainer.'),
  importanceCap: positive.default(2).describe('Bound of that weight.'),
  sequenceMask: z
    .strictObject({ low: positive.describe('Least geometric-mean ratio.'), high: positive.describe('Largest geometric-mean ratio.') })
    .optional()
    .describe('Rollouts whose geometric-mean ratio lies outside add nothing to the gradient. Off by default.'),
  optimizer: z.enum(['adamw', 'muon']).default('adamw').describe('adamw: TRUSTEE. muon: for 2-D layer weights, AdamW for the rest.'),
  weightDecay: z.number().min(0).default(0).describe('Decoupled weight decay.'),
  gradClip: z.number().min(0).default(1).describe('Bound of the global gradient norm; 0 = none.'),
  adapter: z
    .enum(['none', 'lora'])
    .default('none')
    .describe('none: all weights train (embedded engine). lora: only an adapter does (trainer torch, engine vllm).'),
  lora: z
    .strictObject({
      rank: z.literal([1, 8, 16, 32, 64, 128]).default(32).describe('Rank; one of those that vLLM has kernels for.'),
      alpha: positive.default(64).describe('The update is scaled by alpha / rank.'),
      targets: z
        .array(z.enum(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']))
        .min(1)
        .default(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'])
        .describe('Layers that get one. All: "LoRA without regret" (Schulman et al. 2025).'),
    })
    .prefault({})
    .describe('Only for adapter lora.'),
  torch: z
    .strictObject({
      device: z.enum(['auto', 'cpu', 'cuda']).default('auto').describe('Where it trains; auto = a GPU if there is one.'),
      dtype: z
        .enum(['auto', 'float32', 'bfloat16'])
        .default('auto')
        .describe(
          'Of the frozen weights and activations: auto = bfloat16 on a GPU, float32 on a CPU. Log-probs, adapter and optimiser are always float32.',
        ),
      gradientCheckpointing: z
        .boolean()
        .default(true)
        .describe('Recompute activations in the backward pass: less memory, a third more time.'),
      sharing: z
        .enum(['coresident', 'timesliced'])
        .default('coresident')
        .describe(
          'coresident: server and trainer hold their memory side by side. timesliced: the server sleeps while the trainer steps (one GPU, larger models).',
        ),
      answerMs: milliseconds
        .default(600_000)
        .describe(
          'Milliseconds one verb of the trainer may take (a gradient of the whole batch, a save); one that misses it hangs, and the run stops. Its death is noticed at once.',
        ),
    })
    .prefault({})
    .describe('Only for kind torch.'),
  canary: z
    .number()
    .gt(0)
    .optional()
    .describe(
      'Largest |Δ log-prob| between sampler and trainer on a fixed prompt after each publication; beyond it the run stops. Absent: 1e-3 in float32, 0.25 in bfloat16, none where either only plays.',
    ),
  epochs: count.max(16).default(1).describe('Passes over a step’s samples. 1 keeps it on-policy.'),
  microBatchTokens: count.default(8192).describe('Tokens of one forward-backward; memory, not the result, depends on it.'),
});

const roleKind = z.enum(['procedural', 'lm']).default('procedural');
const Roles = z.strictObject({
  task: roleKind.describe('Who writes tasks: code, or a language model.'),
  user: roleKind.describe('Who plays users.'),
  tool: roleKind.describe('Who plays tools.'),
  judge: roleKind.describe('Who judges what code cannot.'),
});

/** Of the roles that a language model plays. */
const Simulation = z.strictObject({
  dialect: z
    .enum(['auto', 'prose', 'words'])
    .default('auto')
    .describe(
      'How the roles are spoken to. prose: English around JSON, for models that follow instructions; words: the tiny model’s own words; auto: by the model’s tokenizer.',
    ),
  temperature: z
    .strictObject({
      task: z.number().min(0).max(2).default(1).describe('Of the task writer: tasks must differ.'),
      user: z.number().min(0).max(2).default(0.8).describe('Of users, who differ too.'),
      tool: z.number().min(0).max(2).default(0).describe('Of tools, which must not vary.'),
      judge: z.number().min(0).max(2).default(0).describe('Of the judge; with more than one vote some variety is wanted.'),
    })
    .prefault({})
    .describe('Sampling temperature of each role. The paper does not say.'),
  maxTokens: z
    .strictObject({
      task: count.default(2048).describe('Of a written task.'),
      user: count.default(256).describe('Of what a user says.'),
      tool: count.default(1024).describe('Of a tool’s observation and patch.'),
      judge: count.default(1024).describe('Of the judge’s findings.'),
    })
    .prefault({})
    .describe('Tokens one reply of each role may have.'),
  structured: z.boolean().default(true).describe('Have the server constrain replies to their JSON Schema, where it can.'),
  worldCharacters: count
    .default(4096)
    .describe('A tool is shown the whole world up to so many characters; beyond, the records it touches and an index.'),
  redraws: natural.max(64).default(8).describe('Fresh subsets of tools to try for a task that nobody could write in askAttempts prompts.'),
  rehearse: z
    .boolean()
    .default(true)
    .describe('Make the expected calls of a written task before it is used, and keep their answers for its group.'),
  duplicates: share
    .default(0.3)
    .describe(
      'A task whose query is nearer than this (Jaccard distance of 3-letter pieces) to an earlier one is refused. 0.3: Tool-R0 (arXiv 2602.21320).',
    ),
  solveRate: z
    .strictObject({ low: share.describe('Least share of a group’s members that solve it.'), high: share.describe('Largest share.') })
    .optional()
    .describe(
      'Keep only tasks that a group solves this often: the others are played and not trained on. 0.25–0.75: Tool-R0. Off by default.',
    ),
  shared: z
    .boolean()
    .default(true)
    .describe(
      'Members of a group share one world: equal calls on equal state answer equally, and so do users after equal conversations. False: an ablation.',
    ),
  cache: z.boolean().default(true).describe('Answer reads from what the group knows already. False: an ablation.'),
  toolSeesIntent: z
    .boolean()
    .default(false)
    .describe('Show tools what the user wants and the expected calls, as the paper does. An ablation: it helps the agent.'),
  fidelity: share.default(0.5).describe('Episodes whose simulation an audit finds less faithful than this are unscored.'),
  judge: z
    .strictObject({
      gates: z
        .boolean()
        .default(true)
        .describe('Decide by rules what rules can decide, and ask the model for the rest. False: an ablation.'),
      votes: z.int().min(1).max(9).default(1).describe('Answers to each question, the majority of which counts; odd.'),
      scope: z
        .enum(['episode', 'group'])
        .default('episode')
        .describe('episode: each alone, as TRUSTEE. group: all members side by side in one prompt (RULER).'),
      calibrateEvery: natural.default(10).describe('Steps between examinations of the judge on episodes of known verdict; 0 = never.'),
      calibrationEpisodes: count.default(32).describe('Episodes of such an examination.'),
      alarm: share.default(0.1).describe('Rise of the judge’s error rate above what it was at first that raises an alarm.'),
    })
    .prefault({})
    .describe('How verdicts are reached, and how the judge itself is judged.'),
});

const World = z.strictObject({
  branches: z
    .strictObject({
      call: share.default(0.7).describe('Share of tasks solved by calling tools.'),
      ask: share.default(0.12).describe('Share of tasks where an argument is missing and must be asked for.'),
      answer: share.default(0.06).describe('Share of tasks to be answered without a tool.'),
      none: share.default(0.12).describe('Share of tasks no tool fits.'),
    })
    .prefault({})
    .describe('What a good agent does first (DEER’s branches); the four shares must sum to 1.'),
  transient: share.default(0.05).describe('Share of calls that meet a transient error the first time.'),
  absent: share.default(0.04).describe('Share of tasks that look for something that does not exist.'),
  scramble: share
    .default(0.5)
    .describe('Share of training tasks whose built-in tools get drawn words too, so that no tool can be learnt by heart.'),
  vague: share.default(0.2).describe('Share of highly ambiguous requests that leave a required argument out.'),
  dependent: share
    .default(0.25)
    .describe('Least share of later calls that take an argument from an earlier result; rises to 0.75 at D = 100.'),
  heldOut: share.default(0.25).describe('Share of the categories of your own tools that is kept for evaluation.'),
});

const Curriculum = z.strictObject({
  mode: z
    .enum(['adaptive', 'fixed', 'uniform'])
    .default('adaptive')
    .describe('adaptive: TRUSTEE. fixed: D stays at start. uniform: each task draws its D from 1..100.'),
  start: Difficulty.default(1).describe('D of the first step. 1: TRUSTEE.'),
  delta: z.number().min(0).max(99).default(3).describe('How far D moves at a step. 3: TRUSTEE.'),
  lower: reward.default(0).describe('D falls when the step’s mean reward is below this. 0.0: TRUSTEE.'),
  upper: reward.default(0.5).describe('D rises when the step’s mean reward is above this. 0.5: TRUSTEE.'),
  soft: share.default(0.5).describe('Probability that a task’s aspects are drawn below their bounds. 0.5: TRUSTEE.'),
  easyShare: share.default(0).describe('Share of tasks drawn at an easier D, against forgetting. Not in TRUSTEE.'),
});

const Rollout = z.strictObject({
  tasks: count.max(65_536).default(16).describe('Tasks a step. 16: TRUSTEE.'),
  group: z.int().min(2).max(1024).default(8).describe('Rollouts a task. 8: TRUSTEE.'),
  minimumScored: z.int().min(2).default(2).describe('A group with fewer scored members is recorded and not trained on.'),
  temperature: z.number().min(0.01).max(2).default(1).describe('Of trained turns; log-probs are those of temperature 1.'),
  maxTokens: count.default(96).describe('Tokens one agent turn may sample.'),
  contextLength: z.int().min(16).default(1024).describe('Tokens prompt and reply may hold together.'),
  workers: threads.default(0).describe('Threads that host episodes; 0 = one per core, at most 4.'),
  window: count.default(32).describe('Groups a worker holds open at once.'),
  staleness: natural
    .max(16)
    .default(0)
    .describe(
      'Policy versions a rollout may lag behind: so many steps are rolled out ahead while the trainer steps. 0 = on-policy, as TRUSTEE.',
    ),
  deadlines: z
    .strictObject({
      turnMs: milliseconds.default(60_000).describe('Milliseconds a turn may take.'),
      episodeMs: milliseconds.default(300_000).describe('Milliseconds an episode may take.'),
      groupMs: milliseconds.default(600_000).describe('Milliseconds until a group is sealed with what it has.'),
      stepMs: milliseconds.default(1_200_000).describe('Milliseconds a step may take before the run stops with a reason.'),
    })
    .prefault({})
    .describe('Ends of every wait: turn ≤ episode ≤ group ≤ step.'),
  losses: z
    .strictObject({
      step: share.default(0.5).describe('Share of one step’s episodes that may be lost.'),
      window: share.default(0.1).describe('Share that may be lost over the last `steps` steps.'),
      steps: count.default(20).describe('Steps of the window.'),
    })
    .prefault({})
    .describe('When too many episodes are lost to faults the run pauses and explains, since what is lost is not lost at random.'),
  attempts: count.max(10).default(3).describe('Runs of an episode when the infrastructure fails.'),
  askAttempts: count.max(10).default(3).describe('Prompts to one simulator for one readable answer.'),
  forceBytes: z.boolean().default(false).describe('Send every message, local ones too, through bytes (tests).'),
});

const Eval = z.strictObject({
  levels: z.array(Difficulty).min(1).default([5, 25, 50, 75, 100]).describe('Difficulties held-out tasks are drawn at.'),
  tasks: count.default(200).describe('Tasks a level; the same ones before and after.'),
  samples: natural.default(0).describe('Sampled attempts a task beside the greedy one, for pass@k; 0 = none.'),
  greedy: z.boolean().default(true).describe('One attempt at temperature 0.'),
  at: z
    .array(z.enum(['start', 'end']))
    .default(['start', 'end'])
    .describe('When to evaluate.'),
  every: natural.default(0).describe('Also every so many steps; 0 = never.'),
  roles: z
    .enum(['procedural', 'same'])
    .default('procedural')
    .describe(
      'Who plays the world of the held-out tasks. procedural: code, so that the truth is known; same: whoever plays it in training.',
    ),
  seed: natural.default(1_000_003).describe('Of the held-out tasks; equal seeds give equal tasks whatever the run’s seed.'),
});

const Record = z.strictObject({
  dir: z.string().min(1).default('runs').describe('Where run folders are made.'),
  checkpoints: z
    .strictObject({
      keep: count.default(3).describe('The newest so many checkpoints are kept.'),
      every: natural.default(0).describe('Every so-many-th step’s checkpoint is kept as well; 0 = none of them.'),
    })
    .prefault({})
    .describe('Which checkpoints stay; each step makes one (weights, optimiser, curriculum, task cursor).'),
  transcripts: z.boolean().default(true).describe('Put the turns into episodes.jsonl; the journal holds them anyway.'),
  segmentBytes: z
    .int()
    .min(4096)
    .default(256 * 1024 * 1024)
    .describe('Size at which the journal starts a new file.'),
});

const Imitation = z.strictObject({
  steps: count.default(1000).describe('Optimiser steps.'),
  batchTokens: count.default(4096).describe('Tokens of one batch, padding excluded; episodes of similar length together.'),
  learningRate: positive.default(0.02).describe('Muon, for the 2-D layer weights.'),
  adamLearningRate: positive.default(0.003).describe('AdamW, for embedding and norms.'),
  warmup: natural.default(20).describe('Steps over which the rates rise.'),
  decay: share.default(0.4).describe('Last share of the steps over which the rates fall to zero, linearly.'),
  gradClip: z.number().min(0).default(1).describe('Bound of the global gradient norm; 0 = none.'),
  start: z
    .enum(['analytic', 'random', 'model'])
    .default('analytic')
    .describe('analytic: previous-token and induction heads set by hand; random: none; model: policy.model.'),
  difficulty: z
    .strictObject({
      from: Difficulty.default(1).describe('Largest D at the first step.'),
      to: Difficulty.default(50).describe('Largest D once risen.'),
      over: share.default(0.5).describe('Share of the steps over which it rises.'),
    })
    .prefault({})
    .describe('Teacher tasks: their largest D rises from `from` to `to`.'),
  mix: z
    .strictObject({
      episodes: z.number().min(0).default(1).describe('Weight of teacher episodes.'),
      chains: share.default(0.4).describe('Share of the episodes forced to have 2–3 calls whatever their D.'),
      requests: z.number().min(0).default(0.3).describe('Weight of chats with many requests over one tool list.'),
      lookups: z.number().min(0).default(0.4).describe('Weight of look-up and copy text.'),
      roles: z.number().min(0).default(0).describe('Weight of prompts and replies of the simulated roles, in the dialect of words.'),
      fade: share.default(0.5).describe('Share of the steps over which look-up and many-request text fades out.'),
    })
    .prefault({})
    .describe('What the teacher shows, as weights of token shares.'),
  shape: z
    .strictObject({
      hidden: count.default(128).describe('Width of the residual stream.'),
      layers: count.default(4).describe('Transformer layers.'),
      heads: count.default(4).describe('Query heads.'),
      kvHeads: count.default(2).describe('Key-value heads; divides heads.'),
      headDim: z.int().min(2).multipleOf(2).default(64).describe('Width of a head, independent of hidden, as Qwen3 allows.'),
      intermediate: count.default(256).describe('Width of the gated feed-forward.'),
      ropeTheta: positive.default(1_000_000).describe('Base of the rotary embedding.'),
      tied: z.boolean().default(true).describe('The output head is the embedding.'),
    })
    .prefault({})
    .describe('The Qwen3 model to make, where start is not model.'),
  evaluateEvery: natural.default(0).describe('Steps between evaluations; 0 = only at the end.'),
  saveEvery: natural.default(0).describe('Steps between checkpoints; 0 = only at the end.'),
  out: z.string().min(1).default('models/imitated').describe('Directory to write the model to; it must not exist.'),
});

const shape = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
    .default('run')
    .describe('Names the run’s folder: letters, digits, dot, dash, underscore.'),
  seed: natural.max(Number.MAX_SAFE_INTEGER).default(0).describe('Of everything drawn in this run.'),
  steps: natural.default(200).describe('Policy updates. 200: TRUSTEE.'),
  budget: Budget.prefault({}).describe('Other ends of the run; whichever comes first.'),
  engine: Engine.prefault({}).describe('What samples tokens.'),
  python: z
    .string()
    .min(1)
    .default('auto')
    .describe(
      'Python with vLLM or PyTorch in it, for kinds vllm and torch. auto: TROUPE_PYTHON, else the environment that `npm run python` made.',
    ),
  policy: Policy.prefault({}).describe('The model that learns.'),
  trainer: Trainer.prefault({}).describe('What updates the weights, and by which objective.'),
  roles: Roles.prefault({}).describe('Who plays the environment.'),
  tools: z
    .string()
    .min(1)
    .default('builtin')
    .describe(
      'The tools tasks are about: builtin, catalogue (everyday services), or a file: what `tools import` wrote (JSONL), OpenAI function JSON or ToolBench JSON.',
    ),
  simulation: Simulation.prefault({}).describe('How a language model plays the roles it is given.'),
  world: World.prefault({}).describe('The simulated world.'),
  curriculum: Curriculum.prefault({}).describe('How difficulty moves.'),
  rollout: Rollout.prefault({}).describe('How a step’s episodes are run.'),
  eval: Eval.prefault({}).describe('How success on held-out tools is measured.'),
  record: Record.prefault({}).describe('What is kept, and where.'),
  imitation: Imitation.prefault({}).describe('The supervised stage (verb: imitate).'),
});

/** Complaints that need two fields, each at the path of the one to change. */
function rejectContradictions(config: z.infer<typeof shape>, context: z.RefinementCtx): void {
  const complain = (path: string, message: string): void => {
    context.addIssue({ code: 'custom', path: path.split('.'), message });
  };
  const { engine, trainer, policy, roles, simulation, world, curriculum, rollout, record, imitation } = config;
  if (trainer.kind === 'tinker') complain('trainer.kind', 'tinker is not part of this version; use torch or embedded');
  if (engine.kind === 'vllm' && trainer.adapter === 'none' && trainer.kind !== 'scripted')
    complain('trainer.adapter', 'a vLLM server takes new weights as adapters only; set trainer.adapter to lora and trainer.kind to torch');
  if ((engine.kind === 'vllm' || engine.kind === 'fake') && trainer.kind === 'scripted' && trainer.adapter === 'lora' && config.steps > 0)
    complain('trainer.adapter', 'the scripted trainer makes no adapters; use none');
  if (engine.kind === 'embedded' && trainer.adapter === 'lora')
    complain('trainer.adapter', 'the embedded engine serves whole models; use none');
  if (trainer.adapter === 'lora' && trainer.kind === 'embedded')
    complain('trainer.adapter', 'the embedded trainer trains whole models; use none, or trainer.kind torch');
  const twice = engine.vllm.servers.find((url, i) => engine.vllm.servers.indexOf(url) !== i);
  if (twice !== undefined) complain('engine.vllm.servers', `${twice} is named twice: each server is filled on its own`);
  if (policy.adapter !== undefined && trainer.adapter !== 'lora')
    complain('trainer.adapter', 'must be lora where policy.adapter names one');
  if (policy.adapter !== undefined && config.steps > 0)
    complain('policy.adapter', 'an adapter to start with can be measured, not trained further; use steps: 0');
  if (trainer.kind === 'torch' && trainer.optimizer === 'muon') complain('trainer.optimizer', 'the torch trainer has adamw only');
  // Samplers give the log-probs of the distribution they sampled from, trainers those of temperature 1: at another one every ratio would be wrong from the first step on (TRL#4159).
  if (engine.kind !== 'scripted' && rollout.temperature !== 1)
    complain('rollout.temperature', 'must be 1 here: what is trained must have been sampled from the policy itself');
  if (rollout.staleness > 0 && engine.kind === 'embedded')
    complain('rollout.staleness', 'the embedded engine holds one version at a time; use 0, or engine.kind vllm');
  if (rollout.staleness > 0 && trainer.kind === 'torch' && trainer.torch.sharing === 'timesliced')
    complain(
      'rollout.staleness',
      'the server sleeps while the trainer steps, so nothing is rolled out meanwhile; use 0, or trainer.torch.sharing coresident',
    );
  if (record.checkpoints.keep < rollout.staleness + 2)
    complain(
      'record.checkpoints.keep',
      `must be at least rollout.staleness + 2 (${rollout.staleness + 2}): a server may still read those adapters`,
    );
  for (const role of ['task', 'user', 'tool', 'judge'] as const) {
    if (roles[role] === 'lm' && engine.kind !== 'vllm' && engine.kind !== 'fake')
      complain(`roles.${role}`, `a language model plays it on a server only; use engine.kind vllm or fake, or procedural`);
  }
  if (roles.task === 'lm' && (roles.user !== 'lm' || roles.tool !== 'lm' || roles.judge !== 'lm'))
    complain(
      'roles.task',
      'a task that a language model writes needs user, tool and judge played by it, too: code knows only its own world',
    );
  if (simulation.judge.votes % 2 === 0) complain('simulation.judge.votes', 'must be odd, so that there is always a majority');
  if (simulation.solveRate !== undefined && simulation.solveRate.low > simulation.solveRate.high)
    complain('simulation.solveRate.low', 'must not exceed simulation.solveRate.high');
  const shares = Object.values(world.branches).reduce((sum, value) => sum + value, 0);
  if (Math.abs(shares - 1) > 1e-6) complain('world.branches', `the four shares sum to ${Number(shares.toFixed(6))}; they must sum to 1`);
  if (curriculum.lower > curriculum.upper) complain('curriculum.lower', `must not exceed curriculum.upper (${curriculum.upper})`);
  if (rollout.minimumScored > rollout.group) complain('rollout.minimumScored', `must not exceed rollout.group (${rollout.group})`);
  const { turnMs, episodeMs, groupMs, stepMs } = rollout.deadlines;
  if (turnMs > episodeMs) complain('rollout.deadlines.turnMs', `must not exceed episodeMs (${episodeMs})`);
  if (episodeMs > groupMs) complain('rollout.deadlines.episodeMs', `must not exceed groupMs (${groupMs})`);
  if (groupMs > stepMs) complain('rollout.deadlines.groupMs', `must not exceed stepMs (${stepMs})`);
  if (rollout.maxTokens >= rollout.contextLength)
    complain('rollout.maxTokens', `must leave room for a prompt: contextLength is ${rollout.contextLength}`);
  if (imitation.shape.heads % imitation.shape.kvHeads !== 0)
    complain('imitation.shape.kvHeads', `must divide heads (${imitation.shape.heads})`);
}

export const Config = shape.superRefine(rejectContradictions);
/** Resolved: every default filled in. */
export type Config = z.infer<typeof Config>;
/** As written: everything may be left out. */
export type ConfigInput = z.input<typeof Config>;

/** The config of a program that has no file: defaults, overridden. Throws ZodError. */
export const configOf = (input: ConfigInput = {}): Config => Config.parse(input);
