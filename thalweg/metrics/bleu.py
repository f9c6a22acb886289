"""BLEU of a corpus, by sacrebleu, so that the figure can be compared with published ones."""

from collections.abc import Sequence

from thalweg.errors import ContractError, missing_extra


def bleu(
    references: Sequence[str] | Sequence[Sequence[str]],
    hypotheses: Sequence[str],
    tokenize: str = "13a",
    lowercase: bool = False,
) -> float:
    """Corpus BLEU from 0 to 100, of detokenised texts. Papineni et al. 2002; Post 2018, arXiv:1804.08771.

    Args:
        references: the right translation of each sentence, or several of each.
        hypotheses: the translations, in the same order.
        tokenize: sacrebleu's tokenizer: "13a" for European languages, "zh" for Chinese, "char" for characters.
        lowercase: whether case counts for nothing.

    Raises:
        ContractError: the numbers of sentences or of their references differ, or there are none.
        MissingExtraError: sacrebleu is not installed.
    """
    try:
        import sacrebleu  # noqa: PLC0415  an extra
    except ImportError as error:
        raise missing_extra("sacrebleu", "text", "bleu") from error
    several = [[text] if isinstance(text, str) else list(text) for text in references]
    counts = {len(texts) for texts in several}
    if len(several) != len(hypotheses) or not several or len(counts) > 1 or counts == {0}:
        raise ContractError(
            f"bleu compares each hypothesis with its references; there are {len(hypotheses)} hypotheses and "
            f"{len(several)} rows of {sorted(counts)} references.\n"
            "  Give one row for each sentence, all with the same number of references, and at least one."
        )
    streams = list(zip(*several, strict=True))
    return float(sacrebleu.corpus_bleu(list(hypotheses), streams, tokenize=tokenize, lowercase=lowercase).score)
