"""What `test_flags.py` runs in a process of its own: the suite's type checker would refuse these values first."""

import re

import numpy as np

from thalweg import callbacks, data, layers, optimizers
from thalweg.errors import ConfigError, ContractError
from thalweg.model import Sequential

X = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
Y = X.sum(1)


def model():
    made = Sequential([layers.Dense(1, input_shape=(3,))])
    made.compile("sgd", "mse", seed=0)
    return made


FLAGS = {
    "shuffle": lambda v: model().fit(X, Y, shuffle=v, verbose=0),
    "resume": lambda v: model().fit(X, Y, resume=v, verbose=0),
    "return_dict": lambda v: model().evaluate(X, Y, return_dict=v),
    "return_dict=": lambda v: model().train_on_batch(X, Y, return_dict=v),
    "trainable": lambda v: model().freeze("layers.0", trainable=v),
    "restore_best_weights": lambda v: callbacks.EarlyStopping(restore_best_weights=v),
    "save_best_only": lambda v: callbacks.ModelCheckpoint("a.tw", save_best_only=v),
    "save_weights_only": lambda v: callbacks.ModelCheckpoint("a.tw", save_weights_only=v),
    "append": lambda v: callbacks.CSVLogger("a.csv", append=v),
    "shuffle=": lambda v: data.order(8, 2, shuffle=v),
    "quotes": lambda v: data.read_csv(__file__, quotes=v),
    "regular": lambda v: data.read_series(__file__, regular=v),
    "per_position": lambda v: data.bucketed(np.ones((4, 8), int), per_position=v),
    "ends": lambda v: data.Words.fit(["a b"], ends=v),
    "lowercase": lambda v: data.Words.fit(["a b"], lowercase=v),
    "use_bias": lambda v: layers.Dense(1, use_bias=v),
    "nesterov": lambda v: optimizers.SGD(0.1, nesterov=v),
}


SHOWN = {
    "fit": lambda v: model().fit(X, Y, verbose=v),
    "evaluate": lambda v: model().evaluate(X, Y, verbose=v),
    "predict": lambda v: model().predict(X, verbose=v),
    "EarlyStopping": lambda v: callbacks.EarlyStopping(verbose=v),
    "ModelCheckpoint": lambda v: callbacks.ModelCheckpoint("a.tw", verbose=v),
    "ReduceLROnPlateau": lambda v: callbacks.ReduceLROnPlateau(verbose=v),
    "LearningRateScheduler": lambda v: callbacks.LearningRateScheduler(lambda epoch: 0.1, verbose=v),
}


def refused(what, call, kind, said):
    """Whether `call` is refused in those words."""
    try:
        call()
    except kind as error:
        words = str(error)
    else:
        words = ""
    assert re.search(said, words), (what, words)


def main():
    """Each case."""
    for name, call in FLAGS.items():
        for wrong in ("no", "x", 2, np.ones(2)):
            said = rf"{name.rstrip('=')}=.* was given; it is True or False\.\n  Write {name.rstrip('=')}=True"
            refused((name, wrong), lambda call=call, wrong=wrong: call(wrong), ConfigError, said)
    for name, call in SHOWN.items():
        for wrong in ("loud", 3, None, np.zeros(2)):
            said = r"verbose is 0, 1.*\n  Write verbose="
            refused((name, wrong), lambda call=call, wrong=wrong: call(wrong), ConfigError, said)
    refused("batch", lambda: FLAGS["shuffle"]("batch"), ConfigError, r"shuffle='batch'.*\n  Write shuffle=True")

    made = model()
    made.build()
    before = made.get_weights()[0]
    refused("step", lambda: made.train_on_batch(X, Y, return_dict="x"), ConfigError, "return_dict")
    assert np.array_equal(before, made.get_weights()[0])
    runs = [model().fit(X, Y, 4, 2, shuffle=v, verbose=0).history["loss"] for v in (False, 0, np.bool_(False))]
    assert runs[0] == runs[1] == runs[2]
    assert layers.Dense(1, use_bias=0) == layers.Dense(1, use_bias=False)

    for wrong in ("a", None, np.ones(2), [0.1], True, 1j, 10**400):
        said = r"learning_rate is one finite number, from 0; it was set to .*\n  Write model\."
        refused(wrong, lambda wrong=wrong: setattr(made, "learning_rate", wrong), ConfigError, said)
        refused(wrong, lambda wrong=wrong: setattr(made.optimizer, "learning_rate", wrong), ConfigError, said)
    refused("shape", lambda: layers_of_three().predict(X), ContractError, r"states input_shape=3.*\n  Give rows")


def layers_of_three():
    """A shape that is no tuple."""
    return Sequential([layers.Dense(1, input_shape=3)])


if __name__ == "__main__":
    main()
