"""A finished result -> what people look at: a page in one file, a data set card on the hub, figures in a tracker."""
