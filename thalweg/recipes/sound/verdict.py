"""verdict: what was heard held against what was said.

    WER = edits of words / words said      CER = edits of characters / characters said, over the whole test part

Beside them stands what needs no hearing: the text that is said most often, the commonest word as often as a text has
words, and no word at all, whose rates are 1.
"""

from collections.abc import Sequence

from thalweg.metrics import character_error_rate, edit_distance, word_error_rate
from thalweg.page import Measure, Table
from thalweg.recipes.sound.baseline import guesses
from thalweg.recipes.verdict import Verdict, percent

BASELINES = {"text": "baseline", "word": "baseline_word", "nothing": "baseline_nothing"}  # what the scores call them
SHOWN = 12  # test recordings on the page: half of them the worst


def verdict(said: list[str], heard: list[str], greedy: list[str], training: list[str], names: Sequence[str]) -> Verdict:
    """The verdict on what was heard: the rate of wrong words, beside what needs no hearing.

    Args:
        said: the test part's texts.
        heard: what beam search made of its recordings.
        greedy: what the likeliest classes say.
        training: the training part's texts, of which the guesses are made.
        names: what each recording is called.
    """
    guess, rows = guesses(training), len(said)
    guess["nothing"] = ""
    rates = {name: word_error_rate(said, [text] * rows) for name, text in guess.items()}
    wer, cer = word_error_rate(said, heard), character_error_rate(said, heard)
    wer_greedy, cer_greedy = word_error_rate(said, greedy), character_error_rate(said, greedy)
    whole = sum(a == b for a, b in zip(said, heard, strict=True))
    titles = {name: f"always “{text}”" if text else "no word at all" for name, text in guess.items()}
    scores = {"wer": wer, "cer": cer, "wer_greedy": wer_greedy, "cer_greedy": cer_greedy, "rows": rows}
    return Verdict(
        measure=Measure("word error rate", wer, percent(wer)),
        baselines=[Measure(titles[name], rate, percent(rate)) for name, rate in rates.items()],
        scores={**scores, "whole": whole, **{BASELINES[name]: rate for name, rate in rates.items()}},
        line=f"Word error rate {wer:.4f}, of characters {cer:.4f}; {whole:,} of {rows:,} texts are right as a whole. "
        f"Guessing {titles['text']} gives {rates['text']:.4f}, {titles['word']} {rates['word']:.4f}.",
        heading=f"{percent(wer)} of words wrong",
        note=f"{whole:,} of {rows:,} test texts right as a whole",
        facts={
            "character error rate": percent(cer),
            "WER, greedy": percent(wer_greedy),
            "CER, greedy": percent(cer_greedy),
        },
        sections=[_examples(said, heard, names)],
        details={"said": said, "heard": heard},
        whole=None,
    )


def _examples(said: list[str], heard: list[str], names: Sequence[str]) -> Table:
    edits = [edit_distance(a.split(), b.split()) for a, b in zip(said, heard, strict=True)]
    worst = sorted(range(len(said)), key=lambda row: -edits[row])
    shown = dict.fromkeys([*worst[: SHOWN // 2], *range(len(said))][:SHOWN])
    rows = [[names[row], said[row], heard[row], str(edits[row])] for row in shown]
    return Table(
        f"The worst {SHOWN // 2}, then the first", ["recording", "said", "heard", "words wrong"], rows, (3,), (1, 2)
    )
