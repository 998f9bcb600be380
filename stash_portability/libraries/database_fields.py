"""Which tables give which field: the data that database.py reads by. No SQL is run here."""

from __future__ import annotations

from .database_files import files_of_galleries, files_of_images, files_of_scenes
from .database_relations import (
    Relation,
    captions,
    group_groups,
    joined,
    listed,
    mapped,
    scene_groups,
    stash_ids,
    timed,
    undated_stash_ids,
)
from .database_shape import Shape


def relation_of(kind: str, field: str, shape: Shape) -> Relation | None:
    """How ``field`` of ``kind`` is read from tables of its own; None when this database does not have it."""
    choices = _RELATIONS.get((kind, field), ())
    return next((relation for relation in choices if relation.offered(shape)), None)


def _ids(table: str, owner: str, other: str) -> tuple[Relation, ...]:
    return (Relation(table, owner, (other,), (other,), joined),)


def _urls(kind: str) -> tuple[Relation, ...]:
    return (Relation(f"{kind}_urls", f"{kind}_id", ("url",), ("position",), listed),)


def _aliases(kind: str) -> tuple[Relation, ...]:
    return (Relation(f"{kind}_aliases", f"{kind}_id", ("alias",), ("alias",), listed),)


def _identities(kind: str) -> tuple[Relation, ...]:
    table, owner, order = f"{kind}_stash_ids", f"{kind}_id", ("endpoint", "stash_id")
    return (
        Relation(table, owner, ("endpoint", "stash_id", "updated_at"), order, stash_ids),
        Relation(table, owner, ("endpoint", "stash_id"), order, undated_stash_ids),
    )


def _custom(kind: str) -> tuple[Relation, ...]:
    return (Relation(f"{kind}_custom_fields", f"{kind}_id", ("field", "value"), ("field",), mapped),)


_RELATIONS: dict[tuple[str, str], tuple[Relation, ...]] = {
    ("tag", "parents"): _ids("tags_relations", "child_id", "parent_id"),
    ("studio", "tags"): _ids("studios_tags", "studio_id", "tag_id"),
    ("performer", "tags"): _ids("performers_tags", "performer_id", "tag_id"),
    ("group", "tags"): _ids("groups_tags", "group_id", "tag_id"),
    ("gallery", "tags"): _ids("galleries_tags", "gallery_id", "tag_id"),
    ("gallery", "performers"): _ids("performers_galleries", "gallery_id", "performer_id"),
    ("scene", "tags"): _ids("scenes_tags", "scene_id", "tag_id"),
    ("scene", "performers"): _ids("performers_scenes", "scene_id", "performer_id"),
    ("scene", "galleries"): _ids("scenes_galleries", "scene_id", "gallery_id"),
    ("marker", "tags"): _ids("scene_markers_tags", "scene_marker_id", "tag_id"),
    ("image", "tags"): _ids("images_tags", "image_id", "tag_id"),
    ("image", "performers"): _ids("performers_images", "image_id", "performer_id"),
    ("image", "galleries"): _ids("galleries_images", "image_id", "gallery_id"),
    **{(kind, "aliases"): _aliases(kind) for kind in ("tag", "studio", "performer")},
    **{(kind, "urls"): _urls(kind) for kind in ("performer", "group", "gallery", "scene", "image")},
    ("studio", "urls"): (*_urls("studio"), Relation("studios", "id", ("url",), (), listed)),
    **{(kind, "stash_ids"): _identities(kind) for kind in ("tag", "studio", "performer", "scene")},
    **{
        (kind, "custom_fields"): _custom(kind)
        for kind in ("tag", "studio", "performer", "group", "gallery", "scene", "image")
    },
    ("scene", "groups"): (
        Relation("groups_scenes", "scene_id", ("group_id", "scene_index"), ("group_id",), scene_groups),
    ),
    ("group", "containing_groups"): (
        Relation("groups_relations", "sub_id", ("containing_id", "description"), ("containing_id",), group_groups),
    ),
    ("group", "sub_groups"): (
        Relation("groups_relations", "containing_id", ("sub_id", "description"), ("order_index",), group_groups),
    ),
    ("scene", "play_history"): (Relation("scenes_view_dates", "scene_id", ("view_date",), (), timed),),
    ("scene", "o_history"): (Relation("scenes_o_dates", "scene_id", ("o_date",), (), timed),),
    ("scene", "captions"): (Relation("video_captions", "file_id", ("language_code", "caption_type"), (), captions),),
    ("scene", "files"): (Relation("scenes_files", "scene_id", ("file_id", "primary"), (), files_of_scenes),),
    ("gallery", "files"): (Relation("galleries_files", "gallery_id", ("file_id", "primary"), (), files_of_galleries),),
    ("image", "files"): (Relation("images_files", "image_id", ("file_id", "primary"), (), files_of_images),),
}
"""Each field's tables, the newest schema's first; the first that is there is read."""
