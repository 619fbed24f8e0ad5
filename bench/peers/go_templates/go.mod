module gotemplates

go 1.23
