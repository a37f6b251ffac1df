module axiom.example/kit

go 1.24
