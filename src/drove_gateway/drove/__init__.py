"""The Drove side: asks the controllers, follows the leader, and hands on what it lists.

`watch` pings a namespace's controllers; `leader` decides who leads; a `follower` polls that one's
events and fetches its endpoints when `cursor` says so, at the `pace` of the settings. `client`
asks one controller over the namespace's `session`, `body` reads and bounds what comes, `wire`
makes it the model. What can be seen of it all is a `view`, what is counted is in `metrics`.
"""
