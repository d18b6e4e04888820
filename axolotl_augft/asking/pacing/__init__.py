"""How fast requests are sent: to which server, how many at a time, how often, and when again."""
