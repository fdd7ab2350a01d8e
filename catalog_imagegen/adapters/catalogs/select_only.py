"""Tells a query that only reads from every other one, before a database sees it."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import ParseError, TokenError

from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlglot import Token

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of statements that are refused here anyway

_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*|#[^\n]*", re.DOTALL)
_EXECUTED = re.compile(r"/\*M?!")
"""What MySQL executes although it looks like a comment: ``/*! … */``, MariaDB ``/*M! … */``."""

_FUNCTIONS = frozenset(
    [
        *("pg_read_file", "pg_read_binary_file", "pg_stat_file"),
        *("pg_file_write", "pg_file_unlink", "pg_file_rename", "pg_file_sync"),
        *("lo_import", "lo_export", "lo_create", "lo_creat", "lo_unlink", "lo_put", "lo_open"),
        *("lo_from_bytea", "lowrite", "nextval", "setval", "set_config", "pg_notify", "pg_export_snapshot"),
        *("query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "cursor_to_xml"),
        *("pg_reload_conf", "pg_rotate_logfile", "pg_promote", "pg_terminate_backend", "pg_cancel_backend"),
        *("sleep", "benchmark", "load_file", "sys_exec", "sys_eval"),
        *("get_lock", "release_lock", "release_all_locks"),
        *("master_pos_wait", "master_gtid_wait", "source_pos_wait", "wait_for_executed_gtid_set"),
        *("max_execution_time", "set_var"),
        *("load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"),
    ]
)
"""They write, read files, wait, call out or run a query of their own; max_execution_time and set_var are MySQL's hints."""
_FAMILIES = (
    *("dblink", "pg_sleep", "pg_ls_", "pg_advisory_", "pg_try_advisory_", "pg_switch_", "pg_create_"),
    *("pg_drop_", "pg_logical_", "pg_replication_", "pg_backup_", "pg_stat_reset", "pg_wal_replay_"),
)


def only_select(query: str, *, database: str) -> str:
    """Give *query*, which must be one SELECT, without its comments; *database* is SQLAlchemy's name of the dialect.

    An account that may only read is the real guard. This one also keeps an honest mistake from being sent, and says what
    it is. Comments are left out so that what is sent is what was looked at: databases disagree on where they end.
    Raises CatalogError, ``query_not_select``.
    """
    dialect = "postgres" if database == "postgresql" else database
    try:
        tokens = sqlglot.tokenize(query, dialect=dialect)
    except TokenError as error:
        reason = error.__cause__ if isinstance(error.__cause__, TokenError) else error
        raise _not_understood(f"({reason})", f"（{reason}）") from None
    text, comments = _parted(query, tokens)
    if dialect == "mysql":
        _refuse_hidden(comments)
    try:
        parsed = sqlglot.parse(query, dialect=dialect)
    except ParseError as error:
        if any(token.token_type is TokenType.INTO for token in tokens):
            raise _refused("INTO", "INTO") from None
        raise _not_understood(*_place(error)) from None
    except RecursionError:
        raise _refused("too deep a nesting", "过深的嵌套") from None
    statements = [tree for tree in parsed if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(statements) != 1:
        raise _refused(f"{len(statements)} statements", f" {len(statements)} 条语句")
    found = _no_reading(statements[0], tokens)
    if found:
        raise _refused(found, f" {found}")
    return text


def _parted(query: str, tokens: Sequence[Token]) -> tuple[str, list[str]]:
    """The query with blanks for comments and semicolons, so that places in it stay where they are; and its comments."""
    text, comments, end = "", [], 0
    for token in tokens:
        gap = query[end : token.start]
        comments += _COMMENT.findall(gap)
        word = query[token.start : token.end + 1]
        text += _blank(gap) + (" " if token.token_type is TokenType.SEMICOLON else word)
        end = token.end + 1
    return text, [*comments, *_COMMENT.findall(query[end:])]


def _blank(gap: str) -> str:
    return re.sub(r"\S", " ", gap)


def _refuse_hidden(comments: Sequence[str]) -> None:
    for comment in comments:
        if _EXECUTED.match(comment):
            raise _refused(
                f"{comment[:20]}, which MySQL does not take for a comment,",
                f" {comment[:20]}（MySQL 不视其为注释）",
            )


def _no_reading(tree: exp.Expr, tokens: Sequence[Token]) -> str | None:
    """The part of a statement that does more than read."""
    root = tree.unnest() if isinstance(tree, exp.Subquery) else tree
    if not isinstance(root, exp.Select | exp.SetOperation):
        is_named = isinstance(root, exp.DML)  # behind a WITH, perhaps
        return root.key.upper() if is_named else tokens[0].text.upper()
    return next((found for node in root.walk() if (found := _harm(node))), None)


def _harm(node: exp.Expr) -> str | None:
    if isinstance(node, exp.Into):
        return "INTO"
    if isinstance(node, exp.Lock):
        return "FOR UPDATE" if node.args.get("update") else "FOR SHARE"
    if isinstance(node, exp.DML | exp.DDL | exp.Command):
        return node.key.upper()
    if isinstance(node, exp.CTE) and not isinstance(node.this, exp.Query | exp.Values):
        return str(node.this.key).upper()
    return next((f"{name}()" for name in _names(node) if _is_refused(name)), None)


def _names(node: exp.Expr) -> Iterator[str]:
    """What a function is called, quoted or not."""
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        yield node.name
    elif isinstance(node, exp.Func):
        yield from node.sql_names()


def _is_refused(function: str) -> bool:
    name = function.lower()
    return name in _FUNCTIONS or name.startswith(_FAMILIES) or "\\" in name  # U&"\0070g_sleep" is pg_sleep


def _place(error: ParseError) -> tuple[str, str]:
    """Where a parser gave up."""
    told = error.errors[0]
    near = str(told.get("highlight") or "")
    line, column = told.get("line"), (told.get("col") or 0) - len(near) + 1
    return (
        f"at line {line}, column {column}, near {near!r}",
        f"（第 {line} 行第 {column} 列“{near}”附近）",
    )


def _refused(found: str, found_zh: str) -> CatalogError:
    return CatalogError(
        f"the catalog's query has {found} where it may only read; write one SELECT without it, "
        "or have a view made and add '#view' to the address",
        zh=f"商品表的查询语句中有{found_zh}，而这里只允许读取；请写成一条不含它的 SELECT，或让管理员建一个视图，再在地址后加上“#视图名”",
        code="query_not_select",
    )


def _not_understood(place: str, place_zh: str) -> CatalogError:
    return CatalogError(
        f"the catalog's query cannot be understood {place}, so nobody knows that it only reads; correct it there, "
        "or have a view made of it and add '#view' to the address",
        zh=f"无法理解商品表的查询语句{place_zh}，因此不能确定它只是读取；请修改此处，或让管理员把它建成视图，再在地址后加上“#视图名”",
        code="query_not_select",
    )
