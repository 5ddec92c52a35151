/** A file store: folders, contents, sharing. */
import { type Chapter, choice, flag, id, like, many, moment, read, record, text, whole, write } from './notation.ts';

const path = text('Path from the root.', '/reports/2027/march.txt');
const file = record({
  path,
  kind: choice('What it is.', 'file', 'folder'),
  bytes: whole('Size.', 2048),
  modified: moment('Last change.'),
  owner: text('Who owns it.', 'mira@example.com'),
});
const share = record({
  share_id: id('share', 'shr_77'),
  path,
  with: text('E-mail address.', 'paul@example.com'),
  access: choice('What they may do.', 'view', 'comment', 'edit'),
});

export const files: Chapter = {
  category: 'files',
  tools: {
    list_folder: read('Lists what is in a folder.', { path: text('Path of the folder.', '/reports/2027') }, many(file)),
    get_file_info: read('Shows size, owner and last change of a file.', { path }, file),
    read_file_text: read(
      'Reads a text file.',
      { path, 'most_lines?': whole('Lines at most.', 100, 1, 10000) },
      record({ path, text: text('New content of the file.', 'Revenue rose by four per cent.') }),
    ),
    search_files: read(
      'Finds files by name or content.',
      {
        words: text('What to look for.', 'revenue'),
        'folder?': text('Only below this path.', '/reports'),
        'in_content?': flag('Whether to look inside of files, too.'),
      },
      many(file),
    ),
    write_file_text: write(
      'Writes a text file, replacing what was there.',
      { path, text: text('New content of the file.', 'Revenue rose by four per cent.') },
      file,
      'read_file_text',
    ),
    move_file: write(
      'Moves or renames a file or folder.',
      { path, to: text('New path.', '/archive/march.txt') },
      like(file, { path: '/archive/march.txt' }),
      'get_file_info',
    ),
    copy_file: write(
      'Copies a file.',
      { path, to: text('Path of the copy.', '/reports/2027/march-copy.txt') },
      like(file, { path: '/reports/2027/march-copy.txt' }),
      'get_file_info',
    ),
    delete_file: write(
      'Moves a file or folder to the bin.',
      { path },
      record({ path, deleted: flag('Whether it is gone.') }),
      'list_folder',
    ),
    create_folder: write(
      'Makes a folder.',
      { path: text('Path of the folder.', '/reports/2028') },
      like(file, { path: '/reports/2028', kind: 'folder', bytes: 0 }),
      'list_folder',
    ),
    share_file: write(
      'Shares a file with somebody.',
      { path, with: text('E-mail address.', 'paul@example.com'), access: choice('What they may do.', 'view', 'comment', 'edit') },
      share,
      'list_file_shares',
    ),
    list_file_shares: read('Lists who a file is shared with.', { path }, many(share)),
  },
};
