"""thalweg bench: only where the benchmarks are."""


def test_outside_a_clone_it_says_where_to_run(thalweg, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    ended = thalweg("bench", "mlp")
    assert ended.code == 2
    assert "in a clone" in ended.err
