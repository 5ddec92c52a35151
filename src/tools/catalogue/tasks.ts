/** To-do lists and projects. */
import { type Chapter, choice, day, flag, id, like, many, read, record, text, whole, write } from './notation.ts';

const task_id = id('task', 'tsk_818');
const task = record({
  task_id,
  title: text('Title.', 'Order paper'),
  project: text('Project.', 'Office'),
  due: day('Day it is due.'),
  priority: choice('How urgent.', 'normal', 'low', 'high'),
  assignee: text('Name of who does it.', 'Mira'),
  done: flag('Whether it is done.', false),
});
const project = record({
  project: text('Project.', 'Office'),
  open_tasks: whole('Not done.', 12),
  task_ids: many(id('task', 'tsk_818')),
  archived: flag('Whether it is put away.', false),
});

export const tasks: Chapter = {
  category: 'tasks',
  tools: {
    list_tasks: read(
      'Lists tasks of a to-do list.',
      {
        'project?': text('Project.', 'Office'),
        'due_until?': day('Due at the latest.'),
        'assignee?': text('Name of who does it.', 'Mira'),
        'done?': flag('True for done ones, false for open ones.', false),
      },
      many(task),
    ),
    get_task: read('Shows one task of a to-do list.', { task_id }, task),
    list_projects: read('Lists the projects that tasks belong to.', {}, many(project)),
    create_task: write(
      'Adds a task.',
      {
        title: text('Title.', 'Order paper'),
        project: text('Project.', 'Office'),
        'due?': day('Day it is due.'),
        'priority?': choice('How urgent.', 'normal', 'low', 'high'),
      },
      task,
      'get_task',
    ),
    complete_task: write('Marks a task as done.', { task_id }, like(task, { done: true }), 'get_task'),
    reschedule_task: write(
      'Gives a task another due day.',
      { task_id, due: day('Day it is due.', '2027-03-20') },
      like(task, { due: '2027-03-20' }),
      'get_task',
    ),
    assign_task: write(
      'Gives a task to somebody.',
      { task_id, assignee: text('Name of who does it.', 'Paul') },
      like(task, { assignee: 'Paul' }),
      'get_task',
    ),
    delete_task: write('Removes a task.', { task_id }, record({ task_id, deleted: flag('Whether it is gone.') }), 'list_tasks'),
    create_project: write(
      'Starts a project for tasks.',
      { project: text('Name.', 'Office') },
      like(project, { open_tasks: 0, task_ids: [] }),
      'list_projects',
    ),
  },
};
