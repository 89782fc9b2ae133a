"""The six cars: published dimensions in metres, and the shapes we draw them with.

Length, width, height, wheelbase and ground clearance are the makers' figures
(sources: the model card, ../README.md). Profiles are our own drawings. Their
x runs from the front bumper (0) to the rear bumper (1); z from the ground (0)
to the roof (1).
"""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Car:
    label: str
    length: float
    width: float
    height: float
    wheelbase: float
    clearance: float
    tyre: float          # outer diameter
    rim: float           # diameter, inches
    overhang: float      # front bumper to front axle
    belt: float          # z where the body ends and the glass begins
    profile: tuple       # (x, z, material of the edge that begins here)
    window: tuple        # side glass, one outline
    pillars: tuple       # x of the pillars that divide it, at the belt
    doors: tuple         # x of the door seams
    spokes: int
    cladding: bool = False   # black sills and arches
    rails: bool = False      # roof rails
    front: tuple = field(default=())  # (kind, points or numbers) drawn on the nose
    bar: tuple = ()          # rear lamps: (z, height, full width?)
    sill: str = ""           # colour of a bright line along the sill


P, G = "paint", "glass"

FADIL = Car(
    "Vinfast_Fadil", 3.676, 1.632, 1.530, 2.385, 0.150, 0.584, 15, 0.72, 0.66,
    ((.025, .15, P), (.0, .27, P), (.004, .45, P), (.045, .555, P), (.225, .66, G), (.405, .945, P), (.54, 1.0, P),
     (.86, .965, G), (.955, .64, P), (.99, .54, P), (1.0, .33, P), (.975, .17, P)),
    ((.265, .655), (.405, .895), (.54, .945), (.76, .93), (.865, .80), (.845, .70)),
    (.50, .715), (.285, .515, .735), 5, cladding=True, rails=True,
    front=(("grille", .62, .43, .50, "#20242a"), ("lower", .75, .20, .33), ("lamps", .62, .98, .44, .52), ("v", .30, .50, .40, "#e8ebef")),
    bar=(.62, .17, False))

LUX_A = Car(
    "Vinfast_Lux_A2.0", 4.973, 1.900, 1.464, 2.968, 0.150, 0.678, 18, 0.84, 0.67,
    ((.015, .14, P), (.0, .28, P), (.003, .43, P), (.035, .525, P), (.30, .665, G), (.45, .955, P), (.53, 1.0, P),
     (.665, .965, G), (.835, .725, P), (.965, .69, P), (.993, .60, P), (1.0, .38, P), (.98, .17, P)),
    ((.335, .665), (.45, .905), (.53, .945), (.65, .92), (.785, .755), (.775, .705)),
    (.545, .695), (.345, .555, .725), 10,
    front=(("grille", .55, .30, .44, "#16181c"), ("lower", .9, .17, .25), ("lamps", .56, .99, .44, .50), ("v", .97, .50, .36, "#f2f5f8")),
    bar=(.60, .085, True))

LUX_SA = Car(
    "Vinfast_Lux_SA2.0", 4.940, 1.960, 1.773, 2.933, 0.192, 0.738, 19, 0.86, 0.66,
    ((.02, .17, P), (.0, .30, P), (.003, .47, P), (.035, .565, P), (.27, .655, G), (.405, .945, P), (.49, 1.0, P),
     (.80, .985, P), (.90, .945, G), (.972, .67, P), (.993, .57, P), (1.0, .34, P), (.98, .19, P)),
    ((.30, .655), (.405, .895), (.49, .945), (.78, .93), (.885, .875), (.93, .715), (.91, .695)),
    (.505, .70, .80), (.31, .515, .715), 5, cladding=True, rails=True,
    front=(("grille", .60, .36, .50, "#181b20"), ("lower", .85, .20, .29), ("lamps", .60, .99, .48, .53), ("v", .97, .535, .40, "#f2f5f8")),
    bar=(.585, .07, True))

PRESIDENT = Car(
    "Vinfast_President", 5.146, 1.987, 1.760, 3.133, 0.183, 0.790, 22, 0.89, 0.675,
    ((.012, .15, P), (.0, .27, P), (.0, .53, P), (.022, .625, P), (.275, .685, G), (.40, .95, P), (.48, 1.0, P),
     (.81, .99, P), (.91, .945, G), (.975, .69, P), (.995, .60, P), (1.0, .32, P), (.985, .16, P)),
    ((.30, .68), (.40, .90), (.48, .945), (.80, .935), (.895, .88), (.94, .735), (.92, .705)),
    (.50, .705, .815), (.31, .51, .72), 14, sill="#d9b36a",
    front=(("grille", .66, .22, .58, "#caa45c"), ("bars", .60, .24, .56, "#1b1712"), ("lamps", .68, .99, .50, .57), ("v", .42, .565, .36, "#f4e3bd")),
    bar=(.60, .11, True))

VF8 = Car(
    "Vinfast_VF_8", 4.750, 1.934, 1.667, 2.950, 0.175, 0.740, 20, 0.88, 0.68,
    ((.02, .16, P), (.0, .31, P), (.012, .50, P), (.06, .60, P), (.245, .67, G), (.42, .955, P), (.50, 1.0, P),
     (.69, .965, G), (.875, .795, P), (.985, .70, P), (.995, .55, P), (1.0, .36, P), (.97, .17, P)),
    ((.28, .67), (.42, .905), (.50, .945), (.68, .91), (.84, .80), (.865, .755), (.80, .715)),
    (.52, .715), (.30, .53, .735), 5,
    front=(("lower", .8, .19, .32), ("lamps", .70, .95, .37, .44), ("v", .99, .575, .47, "#ffffff"), ("v", .99, .615, .51, "#c9d0d8")),
    bar=(.66, .035, True), sill="#c8ccd2")

VF_E34 = Car(
    "Vinfast_VF_e34", 4.300, 1.793, 1.613, 2.611, 0.180, 0.694, 18, 0.84, 0.69,
    ((.02, .17, P), (.0, .32, P), (.008, .53, P), (.05, .62, P), (.235, .69, G), (.395, .95, P), (.49, 1.0, P),
     (.82, .955, P), (.885, .905, G), (.955, .70, P), (.99, .615, P), (1.0, .36, P), (.975, .19, P)),
    ((.27, .685), (.395, .90), (.49, .945), (.78, .905), (.85, .83), (.825, .745)),
    (.505, .71), (.29, .515, .73), 8, cladding=True, rails=True,
    front=(("lower", .82, .19, .34), ("lamps", .66, .93, .38, .45), ("v", .97, .605, .50, "#ffffff")),
    bar=(.64, .055, True))

CARS = (FADIL, LUX_A, LUX_SA, PRESIDENT, VF8, VF_E34)
