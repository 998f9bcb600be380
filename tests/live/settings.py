"""Gives a Stash settings that differ from what it comes with, in every group of its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .hand import Hand

PREVIEW = {"previewSegments": 9, "previewSegmentDuration": 0.5, "previewExcludeStart": "1", "previewExcludeEnd": "2%",
           "previewPreset": "fast"}  # fmt: skip

GENERAL: dict[str, Any] = {
    "calculateMD5": True, "parallelTasks": 1, "previewAudio": False, "maxTranscodeSize": "FULL_HD",
    "maxStreamingTranscodeSize": "STANDARD_HD", "transcodeInputArgs": ["-re"], "transcodeOutputArgs": ["-crf", "21"],
    "liveTranscodeInputArgs": ["-nostdin"], "liveTranscodeOutputArgs": ["-crf", "23"], "maxSessionAge": 7200,
    "drawFunscriptHeatmapRange": False, "logAccess": False, "logLevel": "Debug", "logFileMaxSize": 12,
    "excludes": ["sample, \\d+"], "imageExcludes": ["thumb"], "galleryCoverRegex": "(front)\\.png$",
    "stashBoxes": [{"endpoint": "https://boxes.example/graphql", "name": "Boxes", "api_key": "not-a-real-key",
                    "max_requests_per_minute": 120}],
    **PREVIEW,
}  # fmt: skip

INTERFACE: dict[str, Any] = {
    "sfwContentMode": True, "menuItems": ["scenes", "images", "markers"], "soundOnPreview": True,
    "wallShowTitle": False, "wallPlayback": "animation", "showScrubber": False, "maximumLoopDuration": 30,
    "autostartVideo": True, "autostartVideoOnPlaySelected": False, "continuePlaylistDefault": True,
    "showStudioAsText": True,
    "css": "/* reeds, \"sedge\" */\n.x { color: green; }", "cssEnabled": True, "javascript": "// quiet",
    "language": "en-GB",
    "javascriptEnabled": False, "customLocales": "{\"countables\": {}}", "customLocalesEnabled": False,
    "imageLightbox": {"slideshowDelay": 7000, "displayMode": "FIT_X", "scaleUp": True, "resetZoomOnNav": False,
                      "scrollMode": "PAN_Y", "scrollAttemptsBeforeChange": 2, "disableAnimation": True},
    "disableDropdownCreate": {"performer": True, "tag": False, "studio": True, "movie": True, "gallery": True},
    "handyKey": "not-a-real-handy-key", "funscriptOffset": 25, "useStashHostedFunscript": True,
}  # fmt: skip

DLNA: dict[str, Any] = {
    "serverName": "Pond", "enabled": False, "port": 1444, "whitelistedIPs": ["127.0.0.1"], "interfaces": ["lo"],
    "videoSortOrder": "date",
}  # fmt: skip

SCRAPING: dict[str, Any] = {
    "scraperUserAgent": "Reed/1.0", "scraperCDPPath": "http://127.0.0.1:9/", "scraperCertCheck": False,
    "excludeTagPatterns": ["^x, y$"],
}  # fmt: skip

IDENTIFY_OPTIONS: dict[str, Any] = {
    "fieldOptions": [{"field": "title", "strategy": "OVERWRITE", "createMissing": False}], "setCoverImage": True,
    "setOrganized": False, "includeMalePerformers": True, "skipMultipleMatches": True, "skipMultipleMatchTag": "1",
    "skipSingleNamePerformers": True, "skipSingleNamePerformerTag": "2",
}  # fmt: skip

DEFAULTS: dict[str, Any] = {
    "scan": {"rescan": True, "scanGenerateCovers": True, "scanGeneratePhashes": True, "scanGenerateThumbnails": False},
    "identify": {"sources": [{"source": {"stash_box_endpoint": "https://boxes.example/graphql"},
                              "options": IDENTIFY_OPTIONS}, {"source": {"scraper_id": "builtin_autotag"}}],
                 "options": IDENTIFY_OPTIONS},
    "autoTag": {"performers": ["*"], "studios": ["*"], "tags": ["1", "2"]},
    "generate": {"covers": True, "sprites": False, "previews": True, "previewOptions": PREVIEW, "markers": True,
                 "phashes": True, "interactiveHeatmapsSpeeds": True},
    "deleteFile": True, "deleteGenerated": False,
}  # fmt: skip

PLUGIN = {"count": 3, "ratio": 1.5, "on": True, "off": False, "words": "left out", "list": [1, "x"], "map": {"n": 1}}


def interface_map(ids: Mapping[str, str]) -> dict[str, Any]:
    """The page's own settings, with keys that are known and one that is not."""
    shown = {"display_mode": 0}
    filter_ = {"mode": "SCENES", "find_filter": {"sort": "title"}, "object_filter": {}, "ui_options": shown}
    return {
        "title": "Pond, \"quiet\"", "frontPageContent": [
            {"__typename": "SavedFilter", "savedFilterId": int(ids["saved_filter:SCENES"])},
            {"__typename": "CustomFilter", "mode": "SCENES", "sortBy": "date", "direction": "DESC"}],
        "ratingSystemOptions": {"type": "stars", "starPrecision": "half"}, "trackActivity": True,
        "minimumPlayPercent": 15, "showChildTagContent": True, "vrTag": "Rivers", "advancedMode": True,
        "pinnedFilters": {"scenes": ["tags", "title"]}, "tableColumns": {"scenes": ["title", "date"]},
        "taskDefaults": {"scan": {"rescan": False}}, "defaultFilters": {"scenes": filter_},
        "maxOptionsShown": 250, "imageWallOptions": {"margin": 3, "direction": "row"},
        "pondPlugin": {"token": "kept out"},
    }  # fmt: skip


def configure(hand: Hand, ids: Mapping[str, str]) -> None:
    """Set every group."""
    hand.do("configureGeneral", input=GENERAL)
    hand.do("configureInterface", input=INTERFACE)
    hand.do("configureDLNA", input=DLNA)
    hand.do("configureScraping", input=SCRAPING)
    hand.do("configureDefaults", input=DEFAULTS)
    hand.do("configureUI", input=interface_map(ids))
    hand.do("configurePlugin", plugin_id="pond", input=PLUGIN)
