"""Writes the fixtures of test/chat-goldens.test.ts: a small byte-level BPE, and the ids transformers' own apply_chat_template gives for our templates.

    python render.py test/fixtures/chat              # writes tokenizer.json (if absent) and goldens.json
    python render.py test/fixtures/chat --check      # computes both again and fails where they differ
    python render.py test/fixtures/chat --ids        # JSON lines of {template, messages, tools, thinking} in, lists of prompt ids out

Nothing is downloaded: the tokenizer is trained here, on text made here, with Qwen's normaliser, splitting pattern and added tokens.
"""

import json
import random
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
# As in Qwen3: added, so never split, but not "special", so never skipped when decoding.
TAGS = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"]
TEMPLATES = ["qwen3", "hermes", "xml", "roles", "forgetful"]
STATUS = {"ok": "ok", "unknownTool": "unknown_tool", "invalidArgument": "invalid_argument", "notFound": "not_found", "transient": "try_again"}


def corpus(lines=1500, seed=0):
    """Chats about made-up tools: words, JSON, numbers and some accents."""
    rng = random.Random(seed)
    verbs = "get list create update delete search find book cancel send check read".split()
    nouns = "weather flight hotel order room ticket account calendar event contact note price route guest".split()
    names = "Zoë Ann Ben Łukasz Chloé 日本 Omar Ines".split()
    for _ in range(lines):
        verb, noun, name, number = rng.choice(verbs), rng.choice(nouns), rng.choice(names), rng.randrange(10_000)
        call = {"name": f"{verb}_{noun}", "arguments": {"guest": name, "number": number, "quiet": rng.random() < 0.5}}
        schema = {"type": "object", "properties": {"guest": {"type": "string", "description": f"The {noun}"}}, "required": ["guest"]}
        yield f"You help people. # Tools {json.dumps({'type': 'function', 'function': {'name': call['name'], 'description': f'Will {verb} the {noun}.', 'parameters': schema}})}\n"
        yield f"Please {verb} the {noun} for {name}, it's number {number}.\n\nThanks!"
        yield json.dumps(call, ensure_ascii=False)
        yield json.dumps({"status": "ok", "result": {noun: name, "price": number / 10}}, ensure_ascii=False)
        yield f"The {noun} of {name} is done; it costs {number} €. I cannot say more."


def trained():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=False) for token in TAGS])
    return tokenizer.to_str(pretty=False) + "\n"


def message(turn, reasoning):
    """A turn in OpenAI's form; where the template knows no reasoning, a thought is content."""
    if turn["role"] == "user":
        return {"role": "user", "content": turn["text"]}
    if turn["role"] == "tool":
        result = {} if turn["result"] is None else {"result": turn["result"]}
        content = json.dumps({"status": STATUS[turn["status"]], **result}, ensure_ascii=False)
        return {"role": "tool", "name": turn["call"]["name"], "content": content}
    calls = [{"type": "function", "function": call} for call in turn["calls"]]
    text = turn["text"] if reasoning or not calls else turn["thought"]
    return {
        "role": "assistant",
        "content": text,
        **({"reasoning_content": turn["thought"]} if reasoning and turn["thought"] else {}),
        **({"tool_calls": calls} if calls else {}),
    }


def rendered(tokenizer, chat, thinking, reasoning):
    tools = [{"type": "function", "function": tool} for tool in chat["tools"]]
    messages = [{"role": "system", "content": chat["system"]}, {"role": "user", "content": chat["query"]}]

    def ids(prompt):
        options = {"tools": tools, "add_generation_prompt": prompt, "enable_thinking": thinking}
        return tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False, **options)

    prompts = []
    for turn in chat["turns"]:
        if turn["role"] == "agent":
            prompts.append(ids(True))
        messages.append(message(turn, reasoning))
    return {"prompts": chained(prompts), "whole": " ".join(map(str, ids(False)))}


def chained(prompts):
    """Each prompt as how much of the one before it keeps, and the ids that follow."""
    rows, before = [], []
    for prompt in prompts:
        keep = next((i for i, (a, b) in enumerate(zip(before, prompt)) if a != b), min(len(before), len(prompt)))
        rows.append({"keep": keep, "ids": " ".join(map(str, prompt[keep:]))})
        before = prompt
    return rows


def tokenizer_of(folder, name):
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.chat_template = (folder / "templates" / f"{name}.jinja").read_text()
    return tokenizer


def answer(folder, lines):
    tokenizers = {name: tokenizer_of(folder, name) for name in TEMPLATES}
    for line in lines:
        asked = json.loads(line)
        options = {"tools": asked["tools"], "add_generation_prompt": True, "enable_thinking": asked["thinking"]}
        print(json.dumps(tokenizers[asked["template"]].apply_chat_template(asked["messages"], tokenize=True, return_dict=False, **options)))


def goldens(folder):
    chats = json.loads((folder / "conversations.json").read_text())
    rows = []
    for name in TEMPLATES:
        tokenizer = tokenizer_of(folder, name)
        for thinking in [False, True] if name == "qwen3" else [False]:
            for chat in chats:
                row = rendered(tokenizer, chat, thinking, reasoning=name == "qwen3" and thinking)
                rows.append({"template": name, "thinking": thinking, "chat": chat["name"], **row})
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def main(folder, flags):
    if "--ids" in flags:
        return answer(folder, sys.stdin)
    file = folder / "tokenizer.json"
    if not file.exists():
        file.write_text(trained())
    text = goldens(folder)
    if "--check" not in flags:
        (folder / "goldens.json").write_text(text)
        return
    differing = [name for name, new in [("goldens.json", text), ("tokenizer.json", trained())] if (folder / name).read_text() != new]
    print(json.dumps({"differing": differing, "rows": len(json.loads(text))}))
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
