"""Tokenizers learned from the captions themselves, in the two file formats that open_clip reads."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from console_core.demo.train.architecture import CONTEXT

_ALPHABET = list("abcdefghijklmnopqrstuvwxyz0123456789")
_END_OF_WORD = "</w>"
_PAD, _END, _UNKNOWN = "<pad>", "</s>", "<unk>"
_SIZE = 1536


def write_merges(corpus: Sequence[str], folder: Path) -> None:
    """bpe.txt.gz: merges for open_clip's own tokenizer, whose full table of 49,408 tokens a small model cannot use."""
    learned = _learn(corpus, [_UNKNOWN])
    merges = json.loads(learned.to_str())["model"]["merges"]
    lines = ["#version: 0.2", *(pair if isinstance(pair, str) else " ".join(pair) for pair in merges)]
    with gzip.GzipFile(folder / "bpe.txt.gz", "wb", mtime=0) as file:
        file.write("\n".join(lines).encode())


def write_tokenizer(corpus: Sequence[str], folder: Path) -> None:
    """tokenizer.json and tokenizer_config.json: lower case, an end token, padding."""
    learned = _learn(corpus, [_PAD, _END, _UNKNOWN])
    end = learned.token_to_id(_END)
    learned.post_processor = processors.TemplateProcessing(single=f"$A {_END}", special_tokens=[(_END, end)])
    learned.save(str(folder / "tokenizer.json"))
    configuration = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": _PAD,
        "eos_token": _END,
        "unk_token": _UNKNOWN,
        "model_max_length": CONTEXT,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(configuration), encoding="utf-8")


def _learn(corpus: Sequence[str], special: list[str]) -> Tokenizer:
    learned = Tokenizer(models.BPE(unk_token=_UNKNOWN, end_of_word_suffix=_END_OF_WORD))
    learned.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    learned.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=_SIZE,
        special_tokens=special,
        end_of_word_suffix=_END_OF_WORD,
        initial_alphabet=_ALPHABET,
        show_progress=False,
    )
    learned.train_from_iterator(corpus, trainer)
    return learned
