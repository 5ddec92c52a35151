/** What the page's words mean, each in a sentence: for tooltips and for the help. Knows no view. */

export const glossary = {
  episode: 'one conversation: the agent, a simulated user and simulated tools, until the user is done or a limit is reached',
  group: 'several episodes of the same task: what is better than the group’s mean is made likelier, what is worse less likely',
  member: 'one episode of a group',
  step: 'some groups are played, then the policy is updated once',
  policy: 'the model that is taught; v3 is the third update of it',
  branch: 'what the task wants: a call of tools, a question back, an answer without a tool, or nothing that the tools can do',
  reward:
    '+1: every gate passed and every required criterion met; 0: the intent met, a required criterion not; −1: a gate failed, the intent missed, or the policy ended it itself; none where the failure was ours',
  advantage: 'how much better than its group’s mean an episode was, in standard deviations: what the policy learns from',
  'difficulty D': 'from 1 to 100: bounds how hard drawn tasks may be in seven aspects; moves with the mean reward of each step',
  aspects: 'the seven ways in which a task can be hard; D bounds each, and each task draws one value up to its bound',
  gate: 'a check by code before any judgement: calls fit their schemas, arguments were said or looked up, and so on; one that fails is −1',
  criterion: 'one yes-or-no question that the judge answers with a quotation; at higher D more of them are required',
  'zero variance': 'all scored members of a group have one reward, so none is better than another: nothing to learn, no gradient',
  scored: 'the judge came to a verdict',
  truncated:
    'cut off: by too many turns or tokens, which is the policy’s doing and −1; by a deadline or an order, which is ours and no reward',
  policyFault: 'the policy said nothing that could be used: scored −1',
  simulatorFault: 'a simulated user or tool gave no usable answer: lost, never a reward',
  judgeFault: 'the judge gave no readable verdict: lost, never a reward',
  infraFault: 'a machine, an engine or a deadline failed: lost, never a reward',
  missing: 'the member left no episode at all: lost, never a reward',
  lost: 'episodes without a reward, because the environment failed and not the agent; they teach nothing',
  malformed: 'an answer that could not be read, or a call that is no call',
  inconsistent: 'an answer of a simulated tool that contradicts what the world holds',
  repaired: 'refused at first, and answered well when asked again',
  masked: 'given up after several refusals: the episode is lost, and nothing of it is learnt',
  'loss mask': 'which tokens are learnt from: those the policy sampled, and no others',
  'KL to the base': 'how far the policy has moved from the model it began as, in nats a token',
  ratio:
    'probability of a sampled token by the trainer over that by the sampler: 1 where both agree; far from 1, the update learns from something else than was played',
  entropy: 'how undecided the policy is at a token, in nats: near 0 it has stopped to explore',
  'gradient norm': 'length of the update’s gradient before it is clipped: a spike is a step that moved a lot',
  gap: 'mean difference of a token’s log-prob between sampler and trainer: numeric noise, or a sign that they do not run the same weights',
  clipped: 'share of tokens whose ratio was cut, so that one update cannot move too far',
  'effective sample': 'how many tokens the update really rests on, as a share: low where few of them carry most of the weight',
  staleness: 'by how many versions the policy that played is behind the one that is updated: 0 is on-policy',
  occupancy: 'share of the servers’ places that answered a call at a time',
  'held out': 'tasks on tools that training never sees: measured before and after, never learnt from',
  fidelity: 'share of what simulated tools answered that the world bears out, checked after the episode',
} as const;

export type Term = keyof typeof glossary;
