"""char-lm: its networks and its rate here; nanoGPT's loss among the long tests."""

import numpy as np
import pytest

from thalweg import recipes
from thalweg.errors import ConfigError
from thalweg.recipes.trained import ask, load

CHINESE = "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。\n"


@pytest.mark.parametrize("network", ["gpt", "lstm"])
def test_each_network_learns_a_chinese_text_and_goes_on_with_it(network, tmp_path):
    (tmp_path / "own.txt").write_text(CHINESE * 60, encoding="utf-8")
    small = {"steps": 150, "epochs": 2, "width": 32, "depth": 1, "context": 16, "learning_rate": 0.02}
    result = recipes.run(
        "char-lm", small, network=network, data=tmp_path / "own.txt", run_dir=tmp_path / "run", verbose=0
    )
    assert result.scores["loss"] < 1.0 < np.log(18)
    said = ask(load(tmp_path / "run"), None, ("天地玄黄，宇宙",), {"length": "40", "temperature": "0.01"})
    assert said[0]["written"][:13] == "洪荒。日月盈昃，辰宿列张。"


def test_the_rate_is_nanogpts():
    recipe = recipes.load("char-lm")
    rate = recipe.untrained_model(recipe.settings()).optimizer.record.learning_rate
    # untrained material has one row, and so a run of a step an epoch: its rate is that of a short run
    assert rate.warmup_steps == 0

    class Rows:
        def __len__(self):
            return 10**6

        def __getitem__(self, rows):
            raise NotImplementedError

    material = recipe.application.blank(recipe.settings())
    object.__setattr__(material, "train", Rows())
    rate = recipe.build(recipe.settings(), material).optimizer.record.learning_rate
    for step in (0, 50, 100, 700, 1999, 2000):
        ratio = (step - 100) / 1900
        half = 1e-4 + 0.5 * (1 + np.cos(np.pi * ratio)) * (1e-3 - 1e-4)
        assert float(rate(step)) == pytest.approx(1e-3 * step / 100 if step < 100 else half, rel=1e-4)


def test_heads_that_do_not_divide_the_width_are_refused(tmp_path):
    (tmp_path / "own.txt").write_text(CHINESE * 60, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"heads=3 does not divide width=128\.\n  Write --set heads=2"):
        recipes.run("char-lm", heads=3, context=8, data=tmp_path / "own.txt", run_dir=tmp_path / "run", verbose=0)
    assert not (tmp_path / "run").exists()


def test_the_named_text_is_parted_as_nanogpt_parts_it(data_folder):
    recipe = recipes.load("char-lm")
    material = recipe.application.gather(data_folder, recipe.settings())
    assert len(material.train) == 1_003_854 - 64
    assert material.validation[0] is not material.train
    np.testing.assert_array_equal(material.validation[0], material.test[0])
    assert material.test[0].size == 111_540 // 64 * 64
    assert "nothing is chosen" in material.source
    chosen = recipe.application.gather(data_folder, recipe.settings(patience=2))
    assert len(chosen.train) == 1_003_854 - 100_385 - 64
    np.testing.assert_array_equal(chosen.test[0], material.test[0])


@pytest.mark.long
def test_the_gpt_loses_no_more_than_nanogpts(data_folder, tmp_path):
    result = recipes.run("char-lm", data=data_folder, run_dir=tmp_path / "run", verbose=0)
    assert result.scores["loss"] <= 1.88
