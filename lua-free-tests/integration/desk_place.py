"""The shop that the tests of the desk look at, and its customers."""

POLICY = """
    integrity_zone    integrity:4m;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;

    integrity_field   account  $http_x_account  private;
    integrity_field   network  $http_x_network  private net=24/56;
    integrity_field   merchant $http_x_merchant;
    integrity_field   rating   $http_x_rating;

    integrity_counter reviews_1h on=review.create key=account window=1h exact;
    integrity_counter merchants  on=review.create key=account window=1d
                                 distinct=merchant;
    integrity_list    banned     key=account;

    integrity_threshold per_hour 3;

    integrity_rule  too_fast "reviews_1h > per_hour" on=review.create
                    then=throttle;
    integrity_rule  candidate "reviews_1h > 1" on=review.create then=deny
                    dry_run;
    integrity_rule  praise "rating >= 5" on=review.create score=30;
    integrity_rule  spread "merchants > 1" on=review.create score=30;
    integrity_rule  ring   "rating == 1" on=review.create add=banned:1d;
    integrity_rule  banned "banned" then=deny;
    integrity_scores hold=50;
"""

PLACES = """
    listen 127.0.0.1:%%PORT%%;
    listen unix:%%DIR%%/control.sock;
    location / {
        integrity on; integrity_action $http_x_action;
        proxy_set_header X-Request $request_id;
        proxy_pass http://%%APP%%;
    }
    location /dry {
        integrity dry_run; integrity_action review.create;
        proxy_pass http://%%APP%%;
    }
    location = /integrity/control { integrity_control; }
"""


def shop(nginx, app, policy="", **parts):
    return nginx(http=POLICY + policy, server=PLACES, APP=app, **parts)


def call(server, path="/", action="review.create", **fields):
    """The status of one call; fields go into headers."""
    headers = {f"X-{name}".encode(): str(value).encode()
               for name, value in fields.items()}
    headers[b"X-Action"] = action.encode()
    return server.post(path, headers=headers).status_code
