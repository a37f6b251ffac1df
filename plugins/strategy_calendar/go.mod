module axiom.example/strategy_calendar

go 1.24

require axiom.example/kit v0.0.0

replace axiom.example/kit => ../../plugin-pdk/go
