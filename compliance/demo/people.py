"""Invented people for the demo company: the same ones every time, all at example.com.

No name stands twice: within a culture the first and last names are combined by their places.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

CULTURES = [
    (
        "Asha Vikram Meera Rohan Anjali Dev Kavya Arjun Leela Sanjay Divya Kiran",
        "Rao Nair Mehta Iyer Kapoor Banerjee Desai Pillai Joshi Chatterjee Reddy Kulkarni",
    ),
    (
        "Ben Hannah Oliver Grace Thomas Alice Edward Lucy George Emily Harry Molly",
        "Cole Whitaker Barnes Thornton Hughes Fletcher Ashby Marlow Pryce Holloway Radley Finch",
    ),
    (
        "Chloé Julien Élise Mathieu Camille Antoine Margaux Luc Inès Rémi Sophie Hugo",
        "Martin Lefèvre Moreau Girard Dubois Fournier Lambert Rousseau Chevalier Perrin Colin Roy",
    ),
    (
        "Aoife Ciarán Niamh Oisín Saoirse Fionn Róisín Declan Maeve Eoin Orla Cathal",
        "Murphy Byrne Gallagher Doyle Kavanagh Nolan Brennan Quinn Farrell Keane Duffy Hayes",
    ),
    (
        "Lena Jonas Marie Felix Hannelore Max Clara Paul Greta Moritz Ida Emil",
        "Becker Vogel Hoffmann Krüger Lang Seidel Brandt Winter Kaiser Busch Engel Roth",
    ),
    (
        "Amara Chidi Ngozi Tunde Zainab Kwame Ama Kofi Ife Sade Emeka Yaa",
        "Okafor Mensah Adeyemi Boateng Eze Balogun Owusu Nwosu Asante Danjuma Addo Bello",
    ),
    (
        "Sofía Mateo Lucía Diego Valentina Andrés Camila Javier Elena Pablo Carmen Raúl",
        "García Torres Navarro Ortega Molina Vargas Ibáñez Serrano Peña Campos Rojas Soto",
    ),
    (
        "Yuki Haruto Aiko Ren Sakura Kenji Hana Daichi Mei Sora Emi Takumi",
        "Tanaka Mori Fujita Ono Hayashi Kondo Ishii Nakano Abe Ueda Goto Arai",
    ),
    (
        "Leyla Omar Yasmin Karim Nadia Tariq Samira Hassan Amina Idris Salma Faisal",
        "Haddad Rahman Mansour Aziz Farah Khoury Saleh Nasser Darwish Hakim Qureshi Malik",
    ),
    (
        "Ingrid Lars Astrid Nils Freja Erik Solveig Magnus Sigrid Anders Liv Bjørn",
        "Larsen Dahl Berg Nyström Haugen Lindqvist Solberg Holm Ek Strand Lund Vik",
    ),
    (
        "Zofia Jakub Hanna Piotr Maja Tomasz Ewa Marek Agata Adam Irena Kamil",
        "Nowak Kowalska Zając Wrona Lis Mazur Pawlak Duda Wilk Sikora Król Baran",
    ),
    (
        "Dmitri Olena Anton Iryna Pavel Katya Oleh Vera Ivan Nina Sergei Daria",
        "Orlov Shevchenko Petrov Kovalenko Sokolov Melnyk Volkov Bondar Popov Lysko Zaitsev Tkach",
    ),
]
COUNTRIES = {"EIRE": "Ireland", "RSA": "South Africa", "USA": "United States"}
STREETS = "Mill Lane,Station Road,Harbour Street,Church Walk,Elm Grove,Bridge Street,Orchard Close"
CITIES = {
    "United Kingdom": ("Bristol", "BS1 4QA"),
    "Germany": ("Hamburg", "20095"),
    "Norway": ("Bergen", "5003"),
    "Ireland": ("Galway", "H91 C3HX"),
    "Australia": ("Perth", "6000"),
    "France": ("Lyon", "69001"),
}


@dataclass(frozen=True)
class Person:
    """Somebody who does not exist, with all that a form asks for."""

    place: int
    first_name: str
    last_name: str
    country: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def email(self) -> str:
        return f"{plain(self.first_name)}.{plain(self.last_name)}@example.com"

    @property
    def phone(self) -> str:
        # Numbers that the regulator keeps for drama.
        return f"+44 7700 900{self.place % 1000:03d}"

    @property
    def date_of_birth(self) -> date:
        return date(1962, 3, 1) + timedelta(days=self.place * 977 % 12_800)

    @property
    def address(self) -> dict[str, str]:
        streets = STREETS.split(",")
        city, postal_code = CITIES.get(self.country, ("Riverton", "1000"))
        return {
            "address_line": f"{self.place * 7 % 120 + 1} {streets[self.place % len(streets)]}",
            "city": city,
            "postal_code": postal_code,
            "country": self.country,
        }

    @property
    def passport_number(self) -> str:
        return f"SP{self.place * 7919 % 10_000_000:07d}"


def person(place: int, country: str = "United Kingdom") -> Person:
    """The person at a place, 0 up to 1,727; the first of all is Asha Rao."""
    turn, culture = divmod(place, len(CULTURES))
    firsts, lasts = (names.split() for names in CULTURES[culture])
    first = firsts[turn % len(firsts)]
    last = lasts[(turn + turn // len(firsts)) % len(lasts)]
    return Person(place, first, last, COUNTRIES.get(country, country))


def plain(name: str) -> str:
    """The name in the letters of an e-mail address: Élise becomes elise."""
    swapped = name.lower().translate(str.maketrans("øłąß", "olas"))
    letters = unicodedata.normalize("NFD", swapped)
    return "".join(letter for letter in letters if "a" <= letter <= "z")
