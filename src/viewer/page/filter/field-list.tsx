/** The language on one page: fields with their meaning and an example to click, and how terms go together. */
import { fieldNames, fields } from '../../../record/filter-fields.ts';

export function FieldList({ onPick }: { readonly onPick: (example: string) => void }) {
  return (
    <details class="field-list">
      <summary>What can be asked</summary>
      <p class="muted">
        <code>==</code> <code>!=</code> <code>&lt;</code> <code>&lt;=</code> <code>&gt;</code> <code>&gt;=</code> compare; <code>~</code>{' '}
        contains, whatever the case; <code>&amp;&amp;</code> and, <code>||</code> or, <code>!</code> not, <code>( )</code> group. Text in
        quotes alone is looked for in everything said. The same works in a terminal: <code>show --filter</code>.
      </p>
      <table class="table">
        <caption class="unseen">fields of the filter</caption>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">What it is</th>
            <th scope="col">For example</th>
          </tr>
        </thead>
        <tbody>
          {fieldNames.map((name) => (
            <tr key={name}>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td>{fields[name].what}</td>
              <td>
                <button type="button" class="chip" onClick={() => onPick(fields[name].example)}>
                  <code>{fields[name].example}</code>
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
