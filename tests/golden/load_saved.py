"""Loads the folder that the program saved, as a user of transformers would, and prints what is in it."""

import sys

from safetensors.torch import load_file
from transformers import Wav2Vec2Processor

folder = sys.argv[1]
processor = Wav2Vec2Processor.from_pretrained(folder)
extractor, tokenizer = processor.feature_extractor, processor.tokenizer
print(
    extractor.sampling_rate,
    extractor.do_normalize,
    extractor.return_attention_mask,
    tokenizer("HELLO 1")["input_ids"],
    tokenizer.decode([11, 11, 5, 15, 0, 15, 8, 4]),
    len(load_file(f"{folder}/model.safetensors")),
)
