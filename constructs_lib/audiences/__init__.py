"""Audiences and computed traits, synced on a schedule by tasks on ECS Fargate."""

from constructs_lib.audiences.audience_sync import AudienceSync
from constructs_lib.audiences.members import AudienceMembers
from constructs_lib.audiences.private_access import let_through
from constructs_lib.audiences.runner import AudienceRunner

__all__ = ["AudienceMembers", "AudienceRunner", "AudienceSync", "let_through"]
