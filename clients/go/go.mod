module framepost

go 1.18
