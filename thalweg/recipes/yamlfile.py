"""yamlfile: YAML from a file that may be damaged or hostile: bounded in bytes, depth and aliases, each name once."""

from pathlib import Path
from typing import Any

import yaml

from thalweg.errors import ConfigError, FormatError
from thalweg.files import content
from thalweg.limits import within

TEXT = "tag:yaml.org,2002:str"


def load(path: Path) -> Any:
    """What the file at `path` holds: names, numbers, texts, lists.

    Raises:
        ConfigError: it is beyond a limit.
        FormatError: it is not YAML, or gives a name twice.
        OSError: it cannot be opened.
    """
    stored = content(path, "yaml_bytes", ConfigError)
    try:
        text = stored.decode()
        _check_size(text, path)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        _check_names(node)
        return None if node is None else loader.construct_document(node)
    except ConfigError:
        raise
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:  # bad scalars
        raise FormatError(f"{error}") from error


def _check_size(text: str, path: Path) -> None:
    depth = aliases = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        within("yaml_depth", depth, path, ConfigError)
        within("yaml_aliases", aliases, path, ConfigError)


def _check_names(node: Any) -> None:
    """`FormatError` where the mapping at the top has a key that is no text, or a name twice: the last would count."""
    seen: set[Any] = set()
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.tag != TEXT or key.value in seen:
            raise FormatError(f"the name {key.value!r:.80} is given twice, or is no text")
        seen.add(key.value)
