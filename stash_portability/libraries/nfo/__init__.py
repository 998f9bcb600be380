"""NFO files for Kodi, Jellyfin, Emby and Plex: written beside the media or into a folder that mirrors theirs."""
