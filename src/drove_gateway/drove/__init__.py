"""The Drove side: asks the controllers, follows the leader, and passes on what it lists.

`namespace_watch` pings a namespace's controllers; `leader` decides which of them leads; a
`follower` polls the leader's events and fetches its endpoints when `cursor` says so, at the `pace`
of the settings: those of the apps in `scope`. `announcements` keeps what the events explain.
`client` asks a controller over the namespace's `session`, `response_body` reads and bounds the
response, `wire` opens it, `events` and `listing` decode it into the model. `secrets` and
`connection_errors` are about what may be said when that fails.
"""
