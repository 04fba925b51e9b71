"""A throwaway fleet with its SFTP server and database, taken through the whole of it: `reconciler demo`."""

from __future__ import annotations
