"""The examples in the package's documentation run as they stand there, and nothing lacks one."""

from __future__ import annotations

import ast
import asyncio
import enum
import inspect
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import partnerkit
import partnerkit.django
import partnerkit.storage

from conftest import migrate
from forms import PASSWORD, draft, draft_with_password
from processes import ran

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)

# The library calls their methods, a host writes them: their classes have an example, or the class
# that the reason names.
WRITTEN_BY_THE_HOST = {
    partnerkit.LegacyVerifier: "",
    partnerkit.django.DjangoStorage: "",
    partnerkit.storage.TableStore: "DjangoStorage is one",
    partnerkit.storage.AnyThreadStore: "DjangoStorage is the other kind",
    partnerkit.storage.TableTransaction: "DjangoStorage begins them",
    partnerkit.storage.RemovingTransaction: "DjangoStorage begins them",
}

# What is said once in a process is said for good.
IN_A_PROCESS_OF_ITS_OWN = "log_calls"


def public() -> Iterator[tuple[str, Any]]:
    """Everything that the package offers, by its name."""
    for module in (partnerkit, partnerkit.django, partnerkit.storage):
        for name in module.__all__:
            yield name, getattr(module, name)


def methods(of: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties of a class, inherited ones of the package included."""
    if issubclass(of, enum.Enum):
        return
    package = [base for base in of.__mro__ if base.__module__.startswith("partnerkit")]
    kinds = (types.FunctionType, property, staticmethod, classmethod)
    kinds += (types.MethodDescriptorType, types.GetSetDescriptorType, types.BuiltinFunctionType)
    for name in sorted({name for base in package for name in vars(base)}):
        declared = inspect.getattr_static(of, name)
        if not name.startswith("_") and isinstance(declared, kinds):
            yield f"{of.__name__}.{name}", declared


def documented() -> Iterator[tuple[str, Any, bool]]:
    """Everything that can have an example, and whether it has to have one."""
    yield "partnerkit", partnerkit, True
    for name, found in public():
        if inspect.isclass(found):
            by_host = found in WRITTEN_BY_THE_HOST
            yield name, found, by_host and not WRITTEN_BY_THE_HOST[found]
            for method, declared in methods(found):
                yield method, declared, not by_host
        elif callable(found) and not isinstance(found, types.GenericAlias | types.UnionType):
            yield name, found, True


def documentation(of: Any) -> str:
    """A built-in method that is static has the documentation of `staticmethod` itself."""
    function = of.__func__ if isinstance(of, staticmethod | classmethod) else of
    return inspect.cleandoc(function.__doc__ or "")


def blocks(of: Any) -> list[str]:
    return BLOCK.findall(documentation(of))


EXAMPLES = [(name, block) for name, of, _ in documented() for block in blocks(of)]


def test_nothing_lacks_an_example() -> None:
    assert [name for name, of, needs_one in documented() if needs_one and not blocks(of)] == []
    assert len(EXAMPLES) > 100


class ExceptionsAreRaised(ast.NodeTransformer):
    """What an example shows to be refused is refused."""

    def visit_Try(self, node: ast.Try) -> ast.Try:
        self.generic_visit(node)
        node.orelse = (
            node.orelse or ast.parse("raise AssertionError('nothing was raised')").body
        )
        return node


def compiled(name: str, block: str) -> types.CodeType:
    tree = ExceptionsAreRaised().visit(ast.parse(block))
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    return compile(ast.fix_missing_locations(tree), f"<{name}>", "exec", flags=flags)


def names(awaited: bool) -> dict[str, Any]:
    """What an example finds: the same as in Rust (`core/docs/examples/setup.rs`)."""
    platform = partnerkit.Platform.open("memory:", login_base="partner.example.com")
    agency = platform.create_agency("northwind")
    return {
        "partnerkit": partnerkit,
        "platform": partnerkit.AsyncPlatform(platform) if awaited else platform,
        "agency": partnerkit.AsyncAgency(agency) if awaited else agency,
        "acme": agency.create_reseller(**draft_with_password("acme", name="Acme Télécom")),
        "password": PASSWORD,
        "form": draft("globex", name="Globex"),
    }


def run(name: str, block: str) -> None:
    namespace = names(awaited=name.startswith("Async"))
    ran = eval(compiled(name, block), namespace)
    if inspect.iscoroutine(ran):
        asyncio.run(_waited_for(ran))


async def _waited_for(ran: types.CoroutineType[Any, Any, None]) -> None:
    await ran


IN_THIS_PROCESS = [example for example in EXAMPLES if example[0] != IN_A_PROCESS_OF_ITS_OWN]


@pytest.mark.parametrize(
    ("name", "block"), IN_THIS_PROCESS, ids=[n for n, _ in IN_THIS_PROCESS]
)
def test_example(
    name: str, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated: set[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if "DjangoStorage()" in block:
        migrate("default", migrated)
    run(name, block)


def test_example_of_logging() -> None:
    program = f"""
import test_examples
[block] = test_examples.blocks(test_examples.partnerkit.{IN_A_PROCESS_OF_ITS_OWN})
test_examples.run("{IN_A_PROCESS_OF_ITS_OWN}", block)
"""
    done = ran(program)
    assert done.returncode == 0, done.stderr
    assert "DEBUG:partnerkit:operation=overview agency=northwind" in done.stderr


def test_an_example_that_shows_no_exception_fails() -> None:
    code = compiled("example", "try:\n    pass\nexcept ValueError:\n    pass\n")
    with pytest.raises(AssertionError, match="nothing was raised"):
        exec(code, {})


def test_the_stub_says_what_the_module_says() -> None:
    path = Path(partnerkit.__file__).with_name("_native.pyi")
    stub = ast.parse(path.read_text(encoding="utf-8"))
    compared = 0
    for of in (node for node in stub.body if isinstance(node, ast.ClassDef)):
        for method in (node for node in of.body if isinstance(node, ast.FunctionDef)):
            said = ast.get_docstring(method)
            if said is None:
                continue
            declared = inspect.getattr_static(getattr(partnerkit, of.name), method.name)
            assert " ".join(said.split()) == " ".join(documentation(declared).split())
            compared += 1
    assert compared > 40
