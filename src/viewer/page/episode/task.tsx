/** The tab of the task: what the user wants and knows, what a right solution needs, how hard each aspect was, and the world it is played in. */
import type { Aspects, Task } from '../../../protocol/task.ts';
import { figure } from '../format.ts';
import { Badge } from '../kit/badge.tsx';
import { Panel } from '../kit/panel.tsx';
import { type Column, Table } from '../kit/table.tsx';
import { Json } from './json.tsx';
import { LongText } from './long-text.tsx';
import { Call, Folded } from './turn-card.tsx';
import { Writing } from './writing.tsx';

interface TaskProps {
  readonly run: string;
  readonly group: string;
  readonly task: Task;
  readonly aspects: Aspects;
}

export function TaskTab({ run, group, task, aspects }: TaskProps) {
  return (
    <div class="task-tab">
      <Panel title="Who asks, and what for">
        <dl class="pairs">
          <Pair name="persona" text={task.persona} />
          <Pair name="intent" text={task.intent.summary} />
          {task.intent.requests.map((request, i) => (
            <Pair key={i} name={i === 0 ? 'asks' : `then asks (${i + 1})`} text={request} />
          ))}
          {Object.entries(task.intent.facts).map(([slot, fact]) => (
            <Pair key={slot} name={`knows ${slot}`} text={fact} />
          ))}
          {task.expectedAnswer === undefined ? null : <Pair name="right answer contains" text={task.expectedAnswer} />}
        </dl>
      </Panel>
      <Panel title={<>Aspects at D {figure(task.difficulty)}</>} flush>
        <Table
          caption="aspects: the bound at this difficulty, and what was drawn"
          columns={aspectColumns}
          rows={Object.entries(aspects)}
          keyOf={([name]) => name}
        />
      </Panel>
      <Panel
        title="What a right solution does"
        side={
          <>
            <Badge>{task.branch}</Badge>
            {task.criteria.map((criterion) => (
              <Badge key={criterion} tone="info">
                {criterion}
              </Badge>
            ))}
          </>
        }
      >
        {task.expectedCalls.length === 0 ? <p class="muted">No call is expected.</p> : null}
        <ol class="expected">
          {task.expectedCalls.map((call, i) => (
            <li key={i}>
              <p class="muted">
                call {i}, for request {call.turn}
                {call.needs.length === 0 ? '' : `, needs the results of ${call.needs.join(', ')}`}
              </p>
              <Call call={call} />
              {task.rehearsal?.[i] === undefined ? null : (
                <Folded title={`answered at rehearsal: ${task.rehearsal[i].status}`} value={task.rehearsal[i]} />
              )}
            </li>
          ))}
        </ol>
      </Panel>
      <Panel title={`Tools (${task.tools.length})`}>
        {task.tools.map((tool) => (
          <div class="tool-line" key={tool.name}>
            <p>
              <code>{tool.name}</code> <Badge>{tool.effects}</Badge> <span class="muted">{tool.source}</span>
            </p>
            <p>
              <LongText text={tool.description} />
            </p>
            <Folded title="parameters" value={tool.parameters} />
          </div>
        ))}
      </Panel>
      <Panel title="World before the first turn">
        <Json value={task.world.entities} label="the world" open={2} />
      </Panel>
      <Panel title="The agent’s instructions">
        <p>
          <LongText text={task.system} />
        </p>
      </Panel>
      <div class="task-writing">
        <Panel title="How it was written">
          <Writing run={run} group={group} />
        </Panel>
      </div>
      <p class="muted">
        task {task.id}, {task.split}, seed {task.seed}, at most {task.maxTurns} turns of the agent
      </p>
    </div>
  );
}

function Pair({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <LongText text={text} />
      </dd>
    </div>
  );
}

type AspectRow = [string, { readonly bound: number; readonly value: number }];

const aspectColumns: readonly Column<AspectRow>[] = [
  { key: 'name', title: 'aspect', cell: ([name]) => name },
  { key: 'value', title: 'drawn', right: true, cell: ([, { value }]) => value },
  { key: 'bound', title: 'bound', right: true, cell: ([, { bound }]) => bound },
  {
    key: 'gauge',
    title: <span class="unseen">drawn of bound</span>,
    cell: ([name, { bound, value }]) => (
      <meter min={0} max={Math.max(1, bound)} value={value} aria-label={`${name}: ${value} of at most ${bound}`} />
    ),
  },
];
