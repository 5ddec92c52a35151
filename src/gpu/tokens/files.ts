/** The tokenizer's files in a model directory, as transformers writes them. Knows no weights and touches no disk. */
import { chatTemplate } from './chat-template.ts';
import { marker } from './markers.ts';
import { tokenizerJson, type Vocabulary } from './vocabulary.ts';

/** File name → text: `tokenizer.json` and `tokenizer_config.json` with the chat template. */
export function tokenizerFiles(vocabulary: Vocabulary, contextLength: number): ReadonlyMap<string, string> {
  const config = {
    backend: 'tokenizers',
    chat_template: chatTemplate,
    clean_up_tokenization_spaces: false,
    eos_token: marker.end,
    model_max_length: contextLength,
    pad_token: marker.pad,
    tokenizer_class: 'PreTrainedTokenizerFast',
    unk_token: marker.unknown,
  };
  return new Map([
    ['tokenizer.json', tokenizerJson(vocabulary)],
    ['tokenizer_config.json', `${JSON.stringify(config, null, 2)}\n`],
  ]);
}
