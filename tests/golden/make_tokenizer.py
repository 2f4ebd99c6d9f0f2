"""Writes tokenizer.json: what transformers' Wav2Vec2CTCTokenizer makes of texts and of frames.

    .venv/bin/python tests/golden/make_tokenizer.py

Each case holds the files of a tokenizer folder, texts with their ids, and ids with their text.
"""

import json
import pathlib
import random
import tempfile

import transformers

LETTERS = "E T A O N I H S R D L U M W C F G Y P B V K ' X J Q Z".split()
BASE = ["<pad>", "<s>", "</s>", "<unk>", "|"] + LETTERS
SPECIALS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
UNICODE = ["[PAD]", "[UNK]", "|"] + list("ABCDEFÄÖÜSẞÉ ΣΑΟΔΌςЖ日本語 .,?!'N") + ["😀", "é"]

TEXTS = [
    "", " ", "A", "HELLO WORLD", "  TWO  SPACES  ", "THE CAT'S HAT", "lower case", "TAB\tAND\nLINE",
    "NUMBERS 123", "<pad>", "A <s> B", "A<unk>B", "A <unk>  <pad> B", "</s> ", " </s>", "< s>", "<<s>>",
    "A|B", "|", "A | B", "ÄÖÜ ß straße", "É É", "日本語 テスト", "😀 SMILE 😀", "A\u00a0B", "A\u3000<s>\u2003B",
    "ΟΔΟΣ ΟΔΌΣ ς", "ж Ж", "\ufb01n", "DON'T YOU'RE I'VE IT'S I'M", "WHAT ? NO ! YES , WELL .", "\u0130",
    "A [PAD] B[UNK]", "[WORD] A [WORD]",
]  # fmt: skip


def unique(tokens):
    return {token: i for i, token in enumerate(dict.fromkeys(t for t in tokens if t.strip()))}


def cases():
    base = {token: i for i, token in enumerate(BASE)}
    published = {**SPECIALS, "do_lower_case": False, "return_attention_mask": False, "do_normalize": True}
    yield "published", {"vocab.json": base, "tokenizer_config.json": published,
                        "special_tokens_map.json": SPECIALS}
    yield "vocabulary alone", {"vocab.json": base}
    yield "lower case", {"vocab.json": base, "tokenizer_config.json": {**published, "do_lower_case": True}}
    yield "clean up", {"vocab.json": {**base, ".": 32, ",": 33, "?": 34, "!": 35, "n": 36, "t": 37, "s": 38},
                       "tokenizer_config.json": {**SPECIALS, "clean_up_tokenization_spaces": True}}
    brackets = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    yield "unicode", {"vocab.json": unique(UNICODE), "tokenizer_config.json": brackets}
    yield "unicode, lower case", {"vocab.json": unique(UNICODE),
                                  "tokenizer_config.json": {**brackets, "do_lower_case": True}}
    yield "no begin and end, dash for spaces", {
        "vocab.json": unique(UNICODE),
        "tokenizer_config.json": {**brackets, "bos_token": None, "eos_token": None,
                                  "replace_word_delimiter_char": "-"}}
    yield "added tokens", {"vocab.json": base, "tokenizer_config.json": SPECIALS,
                           "added_tokens.json": {"[WORD]": 32}}
    specials = {key: {"content": token, "lstrip": False, "normalized": True, "rstrip": False,
                      "single_word": False} for key, token in SPECIALS.items()}
    yield "special tokens as objects", {"vocab.json": base, "special_tokens_map.json": specials}


def save_again(tokenizer):
    """The files that this version of transformers writes for a tokenizer."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        return {path.name: json.loads(path.read_text()) for path in pathlib.Path(folder).iterdir()}


def answers(name, files, draw):
    with tempfile.TemporaryDirectory() as folder:
        for file, content in files.items():
            (pathlib.Path(folder) / file).write_text(json.dumps(content))
        tokenizer = transformers.Wav2Vec2CTCTokenizer.from_pretrained(folder)
        size = len(tokenizer)
        frames = [[], [0], [5, 5, 0, 5], [4, 4, 5, 4, 0, 4, 6, 4], [1, 3, 2], [size + 5, -1, 3], [0, 4, 0, 4]]
        frames += [[draw.randrange(size) for _ in range(draw.randrange(40))] for _ in range(8)]
        frames += [[i for i in tokenizer(text)["input_ids"] for _ in range(2)] for text in TEXTS[:30:3]]
        yield {
            "name": name,
            "files": files,
            "size": size,
            "blank": tokenizer.pad_token_id,
            "encode": [{"text": text, "ids": tokenizer(text)["input_ids"]} for text in TEXTS],
            "decode": [{"ids": ids, "text": tokenizer.decode(ids)} for ids in frames],
        }
        if name in ("published", "added tokens"):
            yield from answers(name + ", as transformers 5 writes it", save_again(tokenizer), draw)


if __name__ == "__main__":
    draw = random.Random(1)
    golden = [answer for name, files in cases() for answer in answers(name, files, draw)]
    path = pathlib.Path(__file__).with_name("tokenizer.json")
    lines = ",\n".join(json.dumps(case) for case in golden)
    path.write_text(f'{{"transformers": "{transformers.__version__}", "cases": [\n{lines}\n]}}\n')
    print(f"{path}: {len(golden)} tokenizers")
